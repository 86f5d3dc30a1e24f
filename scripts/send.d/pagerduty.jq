# A record as an alert of PagerDuty, Events API v2. The integration key is added as each alert is sent:
#   ssm-events send --url env:PAGERDUTY_URL --jq-file pagerduty.jq --field routing_key=env:PAGERDUTY_ROUTING_KEY --spool spool
# with PAGERDUTY_URL=https://events.pagerduty.com/v2/enqueue
# https://developer.pagerduty.com/docs/events-api-v2/trigger-events/
def filled: with_entries(select(.value != null and .value != "" and .value != []));

{
  event_action: "trigger",
  # A second attempt is the same alert.
  dedup_key: .event.event_id[0:255],
  client: "ssm-events",
  client_url: .console,
  links: [.transcript.links[]? | {href: .url, text: ("Transcript in " + .place)}],
  payload: ({
    summary: ([.title, .who, (.event.nodes | join(", "))] | map(select(. != "")) | join(" - ") | .[0:1024]),
    timestamp: .event.time,
    severity: (if .break_glass then "critical" else .severity end),
    source: ([.event.account, .event.region] | map(select(. != "")) | join("/") | if . == "" then "aws" else . end),
    component: .event.nodes[0],
    group: .event.account,
    class: .event.event,
    custom_details: (.event + {no_ticket: .missed, transcript: .transcript.note} | filled)
  } | filled)
} | filled
