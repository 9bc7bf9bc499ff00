# Figma. Tokens are refreshed at an address of its own.
# Source: https://developers.figma.com/docs/rest-api/authentication/.
# Unverified: PKCE; the 90 days of the access token; the
# userinfo endpoint.

provider "figma" {
  title = "Figma"
  docs  = "https://developers.figma.com/docs/rest-api/authentication/"

  authorization_endpoint = "https://www.figma.com/oauth"
  token_endpoint         = "https://api.figma.com/v1/oauth/token"
  refresh_endpoint       = "https://api.figma.com/v1/oauth/refresh"
  userinfo_endpoint      = "https://api.figma.com/v1/me"

  grants      = ["authorization_code", "refresh_token"]
  client_auth = ["client_secret_basic"]
  pkce        = "broken" # unknown: not sent

  scope_separator = ","

  redirect {
    fixed_port    = true
    loopback_host = "localhost"
  }

  token_lifetimes {
    access = "90d"
  }

  rotation {
    kind = "none"
  }

  revocation_note = "Remove the app under Settings, Connected apps."
}
