# User access tokens of a GitHub App. What they may do is set in the app, not by
# scopes. They expire, and can be refreshed, if the app says so ("User-to-server
# token expiration").
# Sources: https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
# (generating-a-user-access-token, refreshing-user-access-tokens).

provider "github-app" {
  preset = "github"
  title  = "GitHub App"
  docs   = "https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app"

  grants = ["authorization_code", "device_code", "refresh_token"]

  token_lifetimes {
    access  = "8h"
    refresh = "180d"
  }

  rotation {
    kind = "single_use"
  }

  revocation_note = "End the access under https://${arg.host}/settings/apps/authorizations (Authorized GitHub Apps)."
}
