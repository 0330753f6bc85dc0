"""The addresses of pages."""

from django.urls import path
from django.views.generic import RedirectView

from flowdesk.web import preferences
from flowdesk.web.account import doors
from flowdesk.web.account import views as account
from flowdesk.web.assignments.views import assignments, undo_bulk
from flowdesk.web.audit.views import audit, export
from flowdesk.web.crew import views as crew
from flowdesk.web.cron import run_automations
from flowdesk.web.fields.views import own_fields
from flowdesk.web.hubs import views as hubs
from flowdesk.web.inbox.views import inbox
from flowdesk.web.issues import views as issues
from flowdesk.web.learning import views as learning
from flowdesk.web.members import views as members
from flowdesk.web.notices.views import notices, read_notices
from flowdesk.web.policy.views import policy
from flowdesk.web.rules import views as rules
from flowdesk.web.ticket.new_views import new_ticket, similar_to_new
from flowdesk.web.ticket.views import acknowledge, ticket, ticket_act
from flowdesk.web.triage import views as triage

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="sla-hub")),
    path("login", doors.login, name="account_login"),
    path("logout", doors.logout, name="account_logout"),
    path("password/lost", doors.lost_password, name="lost-password"),
    path("password/new", doors.new_password, name="new-password"),
    path("flow/account", account.account, name="account"),
    path("flow/account/profile", account.save_profile, name="account-profile"),
    path("flow/account/password", account.change_password, name="account-password"),
    path("flow/account/sessions/end", account.end_session, name="end-session"),
    path("flow/settings/people", members.members, name="members"),
    path("flow/settings/people/act", members.member_deed, name="member-deed"),
    path("flow/settings/routing", rules.rules, name="rules"),
    path("flow/settings/routing/act", rules.rules_deed, name="rules-deed"),
    path("flow/settings/routing/text", rules.rules_source, name="rules-source"),
    path("flow/settings/routing/try", rules.try_rules, name="try-rules"),
    path("flow/settings/routing/rules/<str:place>", rules.rule, name="rule"),
    path("flow/settings/routing/rules/<str:place>/preview", rules.rule_preview, name="rule-preview"),
    path("flow/settings/policy", policy, name="policy"),
    path("flow/settings/fields", own_fields, name="own-fields"),
    path("flow/settings/learning", learning.learning, name="learning"),
    path("flow/settings/learning/act", learning.learning_deed, name="learning-deed"),
    path("flow/triage", triage.review, name="review"),
    path("flow/triage/<str:ticket_id>/confirm", triage.confirm, name="review-confirm"),
    path("flow/triage/<str:ticket_id>/correct", triage.correct, name="review-correct"),
    path("flow/issues", issues.issues, name="issues"),
    path("flow/issues/<str:issue_id>", issues.issue, name="issue"),
    path("flow/issues/<str:issue_id>/act", issues.issue_act, name="issue-act"),
    path("flow/duplicates", issues.duplicates, name="duplicates"),
    path("flow/teams", crew.teams, name="crew"),
    path("flow/teams/agents/<str:agent_id>", crew.agent, name="agent"),
    path("flow/teams/<slug:team>/even", crew.even_out, name="even-out"),
    path("flow/assignments", assignments, name="assignments"),
    path("flow/assignments/undo", undo_bulk, name="undo-bulk"),
    path("flow/inbox", inbox, name="inbox"),
    path("flow/notices", notices, name="notices"),
    path("flow/notices/read", read_notices, name="read-notices"),
    path("flow/preferences", preferences.preferences, name="preferences"),
    path("flow/tenant", preferences.switch_tenant, name="switch-tenant"),
    path("flow/settings/audit", audit, name="audit"),
    path("flow/settings/audit/export", export, name="export-audit"),
    path("flow/scheduler/tickets/automations/run", run_automations, name="automation-route"),
    path("flow/tickets/sla", hubs.sla, name="sla-hub"),
    path("flow/tickets/sla/publish", hubs.publish, name="publish-report"),
    path("flow/tickets/sla/run", hubs.run_now, name="run-automation"),
    path("flow/tickets/sla/review.ics", hubs.calendar, name="review-calendar"),
    path("flow/reports/<str:report_id>", hubs.launch_report, name="launch-report"),
    path("flow/tickets/new", new_ticket, name="new-ticket"),
    path("flow/tickets/new/similar", similar_to_new, name="similar-to-new"),
    path("flow/tickets/<str:ticket_id>", ticket, name="ticket"),
    path("flow/tickets/<str:ticket_id>/<slug:act>", ticket_act, name="ticket-act"),
    path("flow/escalations/<str:escalation_id>/acknowledge", acknowledge, name="acknowledge"),
]
