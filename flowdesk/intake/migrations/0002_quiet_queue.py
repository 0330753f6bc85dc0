"""The queue's notices are switched off: one in every commit that queues a job would make those commits queue."""

from django.db import migrations

QUIET = """
drop trigger if exists procrastinate_jobs_notify_queue_job_inserted_v1 on procrastinate_jobs;
drop trigger if exists procrastinate_jobs_notify_queue_job_aborted_v1 on procrastinate_jobs;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('intake', '0001_first'),
        ('procrastinate', '0041_post_retry_failed_job'),
    ]

    operations = [
        migrations.RunSQL(QUIET, migrations.RunSQL.noop),
    ]
