# PagerDuty. Apps with scoped OAuth use https://identity.pagerduty.com.
# Source: https://developer.pagerduty.com/docs/oauth-functionality.
# Unverified: PKCE; lifetimes; which host the code flow of scoped apps uses.

provider "pagerduty" {
  title = "PagerDuty"
  docs  = "https://developer.pagerduty.com/docs/oauth-functionality"

  argument "host" {
    default = "app.pagerduty.com"
    pattern = "(app|identity)\\.pagerduty\\.com"
    doc     = "app.pagerduty.com, or identity.pagerduty.com for scoped OAuth."
    example = "identity.pagerduty.com"
  }

  authorization_endpoint = "https://${arg.host}/oauth/authorize"
  token_endpoint         = "https://${arg.host}/oauth/token"

  grants      = ["authorization_code", "client_credentials", "refresh_token"]
  client_auth = ["client_secret_post"]

  redirect {
    fixed_port    = true
    loopback_host = "localhost"
  }

  rotation {
    kind = "single_use"
  }
}
