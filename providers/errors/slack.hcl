# Errors of Slack, which come with status 200, "ok": false and names of their own.
# Not documented by Slack: invalid_refresh_token.

error "invalid_client_id" {
  name    = "client unknown"
  meaning = "The client_id is not valid."
  cause   = "client_id is wrong."
  remedy  = "Compare client_id with Basic Information, App Credentials."
  needs   = "configuration"
  source  = "https://docs.slack.dev/reference/methods/oauth.v2.access"
}

error "bad_client_secret" {
  name    = "client secret refused"
  meaning = "The client_secret is not valid."
  cause   = "client_secret is wrong or was regenerated."
  remedy  = "Compare client_secret with Basic Information, App Credentials."
  needs   = "configuration"
  source  = "https://docs.slack.dev/reference/methods/oauth.v2.access"
}

error "bad_redirect_uri" {
  name    = "redirect URI refused"
  meaning = "The redirect URI is not the one of the request or not one of the app's."
  cause   = "The redirect URI is not one of the app's redirect URLs."
  remedy  = "Add it under OAuth & Permissions, Redirect URLs."
  needs   = "configuration"
  source  = "https://docs.slack.dev/reference/methods/oauth.v2.access"
}

error "invalid_code" {
  name    = "code refused"
  meaning = "The code is not valid."
  cause   = "The code is wrong."
  remedy  = "Run oauthctl apply again."
  needs   = "person"
  source  = "https://docs.slack.dev/reference/methods/oauth.v2.access"
}

error "code_already_used" {
  name    = "code used twice"
  meaning = "The code was used before."
  cause   = "The code was sent twice."
  remedy  = "Run oauthctl apply again."
  needs   = "person"
  source  = "https://docs.slack.dev/reference/methods/oauth.v2.access"
}

error "code_expired" {
  name    = "code too old"
  meaning = "The code has expired."
  cause   = "The code was not redeemed within 10 minutes."
  remedy  = "Run oauthctl apply again."
  needs   = "person"
  source  = "https://docs.slack.dev/reference/methods/oauth.v2.access"
}

error "invalid_refresh_token" {
  name    = "refresh token refused"
  meaning = "The refresh token is not valid."
  cause   = "The refresh token was used before or was revoked."
  remedy  = "Consent again: oauthctl apply."
  needs   = "person"
  source  = "https://docs.slack.dev/authentication/using-token-rotation"
}

error "token_expired" {
  name    = "access token ended"
  meaning = "The access token has expired."
  cause   = "With token rotation, access tokens live 12 hours."
  remedy  = "Ask for a new one: oauthctl token NAME."
  needs   = "retry"
  source  = "https://docs.slack.dev/authentication/using-token-rotation"
}

error "token_revoked" {
  name    = "access token revoked"
  meaning = "The access token was revoked."
  cause   = "The app was removed from the workspace, or auth.revoke was called."
  remedy  = "Consent again: oauthctl apply -replace=ADDRESS."
  needs   = "person"
  source  = "https://docs.slack.dev/reference/methods/auth.test"
}

error "invalid_auth" {
  name    = "access token refused"
  meaning = "The access token is not valid."
  cause   = "The token is malformed, belongs to another workspace, or the network is not allowed."
  remedy  = "Ask for a new one: oauthctl token -force-refresh NAME."
  needs   = "retry"
  source  = "https://docs.slack.dev/reference/methods/auth.test"
}

error "missing_scope" {
  name    = "a scope is missing"
  meaning = "The token lacks a scope for this call."
  cause   = "The call needs a scope that the connection does not ask for; the answer names it in \"needed\"."
  remedy  = "Add the scope to the connection and run oauthctl apply."
  needs   = "configuration"
  source  = "https://docs.slack.dev/authentication/installing-with-oauth"
}

error "oauth_authorization_url_mismatch" {
  name    = "wrong authorization URL"
  meaning = "The flow began at another version of the authorization URL."
  cause   = "The authorization endpoint is not /oauth/v2/authorize."
  remedy  = "Use the preset slack, or set authorization_endpoint to https://slack.com/oauth/v2/authorize."
  needs   = "configuration"
  source  = "https://docs.slack.dev/reference/methods/oauth.v2.access"
}

error "ratelimited" {
  name    = "asked too often"
  meaning = "Slack limits how often it is asked."
  cause   = "Too many requests were sent."
  remedy  = "Wait as long as the answer says and try again."
  needs   = "retry"
  source  = "https://docs.slack.dev/apis/web-api/rate-limits"
}
