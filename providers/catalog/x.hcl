# X (Twitter), API v2.
# Source: https://docs.x.com/resources/fundamentals/authentication/oauth-2-0/authorization-code.
# Unverified: rotation.

provider "x" {
  title = "X (Twitter)"
  docs  = "https://docs.x.com/resources/fundamentals/authentication/oauth-2-0/authorization-code"

  authorization_endpoint = "https://x.com/i/oauth2/authorize"
  token_endpoint         = "https://api.x.com/2/oauth2/token"
  revocation_endpoint    = "https://api.x.com/2/oauth2/revoke"

  grants      = ["authorization_code", "refresh_token"]
  client_auth = ["client_secret_basic", "none"]
  pkce        = "required"

  offline_scope = "offline.access"

  redirect {
    fixed_port = true
  }

  token_lifetimes {
    access = "2h"
  }

  rotation {
    kind = "single_use"
  }
}
