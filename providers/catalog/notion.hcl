# Notion integrations. What they may do is set in the integration, not by scopes.
# Source: https://developers.notion.com/reference/create-a-token and refresh-a-token.

provider "notion" {
  title = "Notion"
  docs  = "https://developers.notion.com/docs/authorization"

  authorization_endpoint = "https://api.notion.com/v1/oauth/authorize"
  token_endpoint         = "https://api.notion.com/v1/oauth/token"
  revocation_endpoint    = "https://api.notion.com/v1/oauth/revoke"
  introspection_endpoint = "https://api.notion.com/v1/oauth/introspect"

  grants      = ["authorization_code", "refresh_token"]
  client_auth = ["client_secret_basic"]
  pkce        = "broken" # not documented

  authorize_params = { owner = "user" }

  redirect {
    fixed_port    = true
    loopback_host = "localhost"
  }

  # Answers do not say how long a token lives.
  rotation {
    kind = "single_use"
  }

  # Requests are JSON objects.
  quirks = ["json_request", "notion_version"]
}
