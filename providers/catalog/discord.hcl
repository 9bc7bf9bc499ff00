# Discord.
# Source: https://discord.com/developers/docs/topics/oauth2.
# Unverified: rotation; the userinfo endpoint.

provider "discord" {
  title = "Discord"
  docs  = "https://discord.com/developers/docs/topics/oauth2"

  authorization_endpoint = "https://discord.com/oauth2/authorize"
  token_endpoint         = "https://discord.com/api/oauth2/token"
  revocation_endpoint    = "https://discord.com/api/oauth2/token/revoke"
  userinfo_endpoint      = "https://discord.com/api/users/@me"

  grants      = ["authorization_code", "client_credentials", "refresh_token"]
  client_auth = ["client_secret_basic", "client_secret_post", "none"]

  redirect {
    fixed_port    = true
    loopback_host = "localhost"
  }

  token_lifetimes {
    access = "7d"
  }

  rotation {
    kind = "single_use"
  }

  revocation_note = "Revoking one token ends all tokens that the user has given to the app."
}
