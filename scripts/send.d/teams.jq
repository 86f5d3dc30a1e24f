# A record as an adaptive card for the workflow "Send webhook alerts to a channel" of Microsoft Teams:
#   ssm-events send --url env:TEAMS_URL --jq-file teams.jq --spool spool
# https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
#
# Text goes into TextRuns, which know no Markdown: what a caller can shape, such as a reason, makes no link and no mention.
# https://adaptivecards.io/explorer/TextRun.html
def run(text): {type: "TextRun", text: (text | tostring | .[0:400])};
def line($label; $text): {type: "RichTextBlock", spacing: "Small", inlines: [run($label + ": ") + {weight: "Bolder"}, run($text)]};

{
  type: "message",
  attachments: [{
    contentType: "application/vnd.microsoft.card.adaptive",
    contentUrl: null,
    content: {
      "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
      type: "AdaptiveCard",
      version: "1.4",
      body: (
        [{
          type: "RichTextBlock",
          inlines: [run((if .break_glass then "BREAK-GLASS: " else "" end) + .title) + {
            size: "Large", weight: "Bolder",
            color: (if .severity == "error" then "Attention" elif .severity == "warning" then "Warning" else "Good" end)
          }]
        }]
        + [
          ["who", .who], ["from", .event.source_address], ["node", (.event.nodes | join(", "))], ["document", .event.document],
          ["reason", .event.reason], ["no ticket", .missed], ["session", .event.session_id], ["transcript", .transcript.note], ["command", .event.command_id],
          ["account", .event.account], ["region", .event.region], ["time", .event.time], ["error", .event.error],
          ["message", .event.error_message]
          | select(.[1] != null and .[1] != "") | line(.[0]; .[1])
        ]
      ),
      actions: (
        [.console | select(. != null) | {type: "Action.OpenUrl", title: "Open in the console", url: .}]
        + [.transcript.links[]? | {type: "Action.OpenUrl", title: ("Transcript in " + .place), url: .url}]
      )
    }
  }]
}
