# Strava. A person may untick scopes.
# Source: https://developers.strava.com/docs/authentication/.
# Unverified: that PKCE is not supported.

provider "strava" {
  title = "Strava"
  docs  = "https://developers.strava.com/docs/authentication/"

  authorization_endpoint = "https://www.strava.com/oauth/authorize"
  token_endpoint         = "https://www.strava.com/api/v3/oauth/token"

  grants      = ["authorization_code", "refresh_token"]
  client_auth = ["client_secret_post"]
  pkce        = "broken"

  scope_separator = ","
  callback_params = ["scope"] # what the person left ticked

  # Only the domain is compared, and this machine is always allowed.
  redirect {
    loopback_host = "127.0.0.1"
  }

  token_lifetimes {
    access = "6h"
  }

  # The newest one is the one that counts.
  rotation {
    kind = "unknown"
  }

  revocation      = "none"
  revocation_note = "Revoke access at https://www.strava.com/settings/apps."
}
