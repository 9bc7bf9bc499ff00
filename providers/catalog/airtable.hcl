# Airtable. PKCE is demanded of every client.
# Sources: https://airtable.com/developers/web/api/oauth-reference and get-user-id-scopes.
# Unverified: the access token's life.

provider "airtable" {
  title = "Airtable"
  docs  = "https://airtable.com/developers/web/api/oauth-reference"

  authorization_endpoint = "https://airtable.com/oauth2/v1/authorize"
  token_endpoint         = "https://airtable.com/oauth2/v1/token"
  userinfo_endpoint      = "https://api.airtable.com/v0/meta/whoami"

  grants      = ["authorization_code", "refresh_token"]
  client_auth = ["client_secret_basic", "none"]
  pkce        = "required"

  redirect {
    fixed_port    = true
    loopback_host = "localhost"
  }

  token_lifetimes {
    access  = "1h"
    refresh = "60d"
  }

  rotation {
    kind = "single_use"
  }

  revocation_note = "Revoke the integration under Account, Integrations."
}
