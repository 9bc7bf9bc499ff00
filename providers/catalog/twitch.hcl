# Twitch.
# Sources: https://dev.twitch.tv/docs/authentication/getting-tokens-oauth and getting-tokens-oidc.
# Unverified: that PKCE is not supported; rotation.

provider "twitch" {
  title = "Twitch"
  docs  = "https://dev.twitch.tv/docs/authentication/getting-tokens-oauth"

  authorization_endpoint = "https://id.twitch.tv/oauth2/authorize"
  token_endpoint         = "https://id.twitch.tv/oauth2/token"
  device_endpoint        = "https://id.twitch.tv/oauth2/device"
  revocation_endpoint    = "https://id.twitch.tv/oauth2/revoke" # wants client_id and token
  userinfo_endpoint      = "https://id.twitch.tv/oauth2/userinfo"

  grants      = ["authorization_code", "device_code", "client_credentials", "refresh_token"]
  client_auth = ["client_secret_post", "none"] # none: device flow of public clients
  pkce        = "broken"

  redirect {
    fixed_port    = true
    loopback_host = "localhost"
  }

  token_lifetimes {
    access = "4h"
  }

  # Public clients get a new one with each refresh.
  rotation {
    kind = "unknown"
  }

  quirks = ["scope_list"] # an array
}
