# Linear.
# Source: https://linear.app/developers/oauth-2-0-authentication.
# Unverified: PKCE; the revocation endpoint; how scopes are written in answers.

provider "linear" {
  title = "Linear"
  docs  = "https://linear.app/developers/oauth-2-0-authentication"

  authorization_endpoint = "https://linear.app/oauth/authorize"
  token_endpoint         = "https://api.linear.app/oauth/token"
  revocation_endpoint    = "https://api.linear.app/oauth/revoke"

  grants      = ["authorization_code", "refresh_token"]
  client_auth = ["client_secret_post"]

  scope_separator  = ","
  authorize_params = { prompt = "consent" }

  redirect {
    fixed_port    = true
    loopback_host = "localhost"
  }

  token_lifetimes {
    access = "1d"
  }

  rotation {
    kind = "single_use"
  }

  quirks = ["scope_list"]
}
