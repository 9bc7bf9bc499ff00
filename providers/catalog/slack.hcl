# Slack apps (OAuth v2). scopes are the bot's; a user token is asked for with
# authorize_params = { user_scope = "…" }.
# Sources: https://docs.slack.dev/authentication/installing-with-oauth and
# using-token-rotation; https://docs.slack.dev/reference/methods/oauth.v2.access (errors).
# Unverified: the error code invalid_refresh_token.

provider "slack" {
  title = "Slack"
  docs  = "https://docs.slack.dev/authentication/installing-with-oauth"

  authorization_endpoint = "https://slack.com/oauth/v2/authorize"
  token_endpoint         = "https://slack.com/api/oauth.v2.access"

  grants      = ["authorization_code", "refresh_token"]
  client_auth = ["client_secret_post", "client_secret_basic"]
  pkce        = "broken" # PKCE turns the whole app into a public one, for good

  scope_separator = ","

  redirect {
    https = true # loopback is for public apps only, which cannot have bot scopes
  }

  # With token rotation switched on in the app; otherwise tokens do not expire.
  token_lifetimes {
    access = "12h"
  }

  rotation {
    kind = "single_use"
  }

  revocation      = "none"
  revocation_note = "Remove the app from the workspace, or call https://docs.slack.dev/reference/methods/auth.revoke with the token."

  # Errors come with status 200 and names of their own; scopes are separated by
  # commas; a user token is nested.
  quirks = ["error_in_200", "error_names", "scope_list", "authed_user"]

  hint "redirect_uri_mismatch" {
    cause  = "The redirect URI is not one of the app's redirect URLs."
    remedy = "Add it under OAuth & Permissions, Redirect URLs."
    needs  = "configuration"
  }
}
