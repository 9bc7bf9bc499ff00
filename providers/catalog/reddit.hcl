# Reddit web apps and scripts, which have a secret.
# Source: https://github.com/reddit-archive/reddit/wiki/OAuth2.
# Unverified: PKCE; revocation; rotation.

provider "reddit" {
  title = "Reddit"
  docs  = "https://github.com/reddit-archive/reddit/wiki/OAuth2"

  authorization_endpoint = "https://www.reddit.com/api/v1/authorize"
  token_endpoint         = "https://www.reddit.com/api/v1/access_token"
  revocation_endpoint    = "https://www.reddit.com/api/v1/revoke_token"

  grants      = ["authorization_code", "client_credentials", "refresh_token"]
  client_auth = ["client_secret_basic"]

  offline_params = { duration = "permanent" }

  redirect {
    fixed_port    = true
    loopback_host = "localhost"
  }

  token_lifetimes {
    access = "1h"
  }

  rotation {
    kind = "none"
  }
}
