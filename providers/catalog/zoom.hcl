# Zoom. Scopes are fixed in the app.
# Source: https://developers.zoom.us/docs/integrations/oauth/.
# Unverified: the device endpoint; the 90 days of the refresh token; the userinfo
# endpoint.

provider "zoom" {
  title = "Zoom"
  docs  = "https://developers.zoom.us/docs/integrations/oauth/"

  authorization_endpoint = "https://zoom.us/oauth/authorize"
  token_endpoint         = "https://zoom.us/oauth/token"
  device_endpoint        = "https://zoom.us/oauth/devicecode"
  revocation_endpoint    = "https://zoom.us/oauth/revoke"
  userinfo_endpoint      = "https://api.zoom.us/v2/users/me"

  grants      = ["authorization_code", "device_code", "refresh_token"]
  client_auth = ["client_secret_basic", "none"]

  # Loopback is allowed with PKCE, and its port is ignored.

  token_lifetimes {
    access  = "1h"
    refresh = "90d"
  }

  rotation {
    kind = "single_use"
  }
}
