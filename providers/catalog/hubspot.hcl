# HubSpot public apps. The token path carries a date; the v1 endpoints end on 2027-02-16.
# Source: https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/oauth/working-with-oauth.
# Unverified: PKCE; the revocation path.

provider "hubspot" {
  title = "HubSpot"
  docs  = "https://developers.hubspot.com/docs/api-reference/legacy/authentication/oauth-tokens/v1/migration-guide"

  authorization_endpoint = "https://app.hubspot.com/oauth/authorize"
  token_endpoint         = "https://api.hubapi.com/oauth/2026-03/token"
  revocation_endpoint    = "https://api.hubapi.com/oauth/2026-03/token/revoke"
  introspection_endpoint = "https://api.hubapi.com/oauth/2026-03/token/introspect"

  grants      = ["authorization_code", "refresh_token"]
  client_auth = ["client_secret_post"]

  redirect {
    fixed_port    = true
    loopback_host = "localhost"
  }

  token_lifetimes {
    access = "30m"
  }

  rotation {
    kind = "none"
  }
}
