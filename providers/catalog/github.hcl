# GitHub OAuth apps on github.com or a GitHub Enterprise Server. Their tokens do
# not expire. For user tokens of a GitHub App see github-app.
# Sources: https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
# and ../maintaining-oauth-apps (errors).
# Unverified: the userinfo endpoint.

provider "github" {
  title = "GitHub OAuth app"
  docs  = "https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps"

  argument "host" {
    default = "github.com"
    pattern = "[A-Za-z0-9.-]+(:[0-9]+)?"
    doc     = "Host of a GitHub Enterprise Server."
    example = "github.corp.example"
  }

  discovery              = "none"
  authorization_endpoint = "https://${arg.host}/login/oauth/authorize"
  token_endpoint         = "https://${arg.host}/login/oauth/access_token"
  device_endpoint        = "https://${arg.host}/login/device/code"
  userinfo_endpoint      = arg.host == "github.com" ? "https://api.github.com/user" : "https://${arg.host}/api/v3/user"

  grants      = ["authorization_code", "device_code"]
  client_auth = ["client_secret_post", "none"] # none: the device flow works without a secret
  pkce        = "supported"

  redirect {
    loopback_host = "127.0.0.1" # the port may vary for loopback literals
  }

  rotation {
    kind = "none"
  }

  revocation      = "none"
  revocation_note = "End the access under https://${arg.host}/settings/applications (Authorized OAuth Apps)."

  # Answers are form data unless JSON is asked for; errors come with status 200
  # and names of their own; granted scopes are separated by commas.
  quirks = ["accept_json", "error_in_200", "error_names", "scope_list"]

  hint "redirect_uri_mismatch" {
    cause  = "The redirect URI does not begin with the callback URL of the app."
    remedy = "Set the app's callback URL to http://127.0.0.1/callback/${arg.host}, or write the registered one in redirect_uris."
    needs  = "configuration"
  }
}
