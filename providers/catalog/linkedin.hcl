# LinkedIn. Refresh tokens are for approved partners only; their 365 days are not extended.
# Source: https://learn.microsoft.com/linkedin/shared/authentication/authorization-code-flow.
# Unverified: how scopes are written in answers; the userinfo endpoint.

provider "linkedin" {
  title = "LinkedIn"
  docs  = "https://learn.microsoft.com/linkedin/shared/authentication/authorization-code-flow"

  authorization_endpoint = "https://www.linkedin.com/oauth/v2/authorization"
  token_endpoint         = "https://www.linkedin.com/oauth/v2/accessToken"
  userinfo_endpoint      = "https://api.linkedin.com/v2/userinfo" # scope openid

  grants      = ["authorization_code", "refresh_token"]
  client_auth = ["client_secret_post"]
  pkce        = "broken"

  redirect {
    fixed_port    = true
    loopback_host = "localhost"
  }

  token_lifetimes {
    access  = "60d"
    refresh = "365d"
  }

  rotation {
    kind = "none"
  }

  revocation_note = "Remove the app at https://www.linkedin.com/psettings/permitted-services."

  quirks = ["scope_list"]
}
