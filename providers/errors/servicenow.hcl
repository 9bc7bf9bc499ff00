# Errors of a ServiceNow instance as authorization server. It has one answer for
# everything that is wrong with a token request: 401 server_error, access_denied.
# That is no failure of the server, and trying again does not help.

error "server_error" {
  match   = ["access_denied"]
  name    = "catch-all 401"
  meaning = "The token request was refused; the instance does not say why."
  cause   = "ServiceNow answers every refused token request in this way: the code or refresh token is wrong or has ended, client_id or client_secret is wrong, or the request had content that it does not take."
  remedy  = "Compare client_id and client_secret with the OAuth registration of the instance and see that it is active; if they are right, consent again: oauthctl apply -replace=ADDRESS."
  needs   = "configuration"
  source  = "https://www.servicenow.com/community/developer-forum/oauth-token-error-server-error-access-denied/m-p/2521408"
}

error "Missing State parameter in request" {
  also    = ["Missing State parameter in request"]
  name    = "state is wanted"
  meaning = "The instance wants the parameter state."
  cause   = "The page said \"Missing State parameter in request\": something between oauthctl and the browser removed state, which the instance demands (glide.oauth.state.parameter.required)."
  remedy  = "Open the whole URL that oauthctl printed, unchanged."
  needs   = "person"
  source  = "https://www.servicenow.com/docs/r/platform-security/authentication/authorization-workflow.html"
}
