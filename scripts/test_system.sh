#!/bin/sh
# The tests of everything that speaks to the database once more, on the PostgreSQL that the system's packages installed;
# pages, commands and the API stand on those, and are tested on the embedded one.
# Skips, and says so, where there is none; under CI that is a failure.
set -eu
cd "$(dirname "$0")/.."

if ! ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1; then
    echo "tests-system: SKIPPED, no PostgreSQL in /usr/lib/postgresql (apt-get install postgresql)"
    [ -z "${CI:-}" ] || exit 1
    exit 0
fi
echo "tests-system: on $(ls -d /usr/lib/postgresql/* | tr '\n' ' ')"
stages=""
for stage in accounts architecture automations core escalation flows hubs intake notifications people tickets worker; do
    [ ! -d "tests/$stage" ] || stages="$stages tests/$stage"
done
code=0
FLOWDESK_TEST_POSTGRES=system .venv/bin/python -m pytest -m "django_db and not faults" "$@" $stages || code=$?
if [ "$code" = 5 ]; then # pytest's word for "nothing to run"
    echo "tests-system: no test asks for the database"
    exit 0
fi
exit "$code"
