# What the errors of the standards mean and what to do about them. A preset's own
# hints go before these. The label is the error code.

# --- token endpoint, RFC 6749 §5.2

hint "invalid_request" {
  cause  = "The server did not understand the request: a parameter is missing, repeated, or has a value that it does not know."
  remedy = "Compare authorize_params and token_params, and those of the provider block, with the server's documentation."
  needs  = "configuration"
}

hint "invalid_client" {
  cause  = "The server does not know the client, or its authentication failed: the client_id is wrong, the secret is wrong or has expired, or the server wants another method of client authentication."
  remedy = "Check client_id and client_secret against the registration; if they are right, set client_auth to the method that the registration names."
  needs  = "configuration"
}

hint "invalid_grant" {
  cause  = "The code or refresh token is no longer valid: it was used before, has expired, was revoked, or belongs to another client or redirect URI."
  remedy = "Consent again: oauthctl apply."
  needs  = "person"
}

hint "unauthorized_client" {
  cause  = "This client may not use this grant."
  remedy = "Allow the grant in the client's registration, or choose another grant."
  needs  = "configuration"
}

hint "unsupported_grant_type" {
  cause  = "The server does not have this grant."
  remedy = "Choose another grant."
  needs  = "configuration"
}

hint "invalid_scope" {
  cause  = "A scope is unknown to the server, is misspelt, or may not be asked for by this client."
  remedy = "Compare scopes with the server's documentation and with what the client's registration allows."
  needs  = "configuration"
}

# --- authorization endpoint, RFC 6749 §4.1.2.1

hint "access_denied" {
  cause  = "Consent was refused, by the person or by a rule of the server."
  remedy = "Run oauthctl apply again and consent; if the server refused, ask its administrator."
  needs  = "person"
}

hint "unsupported_response_type" {
  cause  = "The server does not give authorization codes to this client."
  remedy = "Allow the authorization code grant in the client's registration."
  needs  = "configuration"
}

hint "server_error" {
  cause  = "The server failed."
  remedy = "Try again later."
  needs  = "retry"
}

hint "temporarily_unavailable" {
  cause  = "The server is overloaded or under maintenance."
  remedy = "Try again later."
  needs  = "retry"
}

# Not in a standard, but the name that many servers use.
hint "redirect_uri_mismatch" {
  cause  = "The redirect URI is not one of those registered for the client; scheme, host, path, case and a trailing slash all count."
  remedy = "Register the redirect URI exactly as the plan shows it, or write the registered one in redirect_uris."
  needs  = "configuration"
}

hint "*" {
  match  = ["redirect_uri", "redirect uri", "redirect url", "callback url"]
  cause  = "The server does not accept the redirect URI; scheme, host, path, case and a trailing slash all count."
  remedy = "Register the redirect URI exactly as the plan shows it, or write the registered one in redirect_uris."
  needs  = "configuration"
}

hint "*" {
  match  = ["code_verifier", "code_challenge", "pkce"]
  cause  = "The server did not accept the proof key (PKCE)."
  remedy = "Run oauthctl apply again; if it happens every time, the server is broken there: set pkce = \"broken\" in a provider block."
  needs  = "configuration"
}

# --- OpenID Connect Core §3.1.2.6

hint "interaction_required" {
  cause  = "The server wants to ask the person something."
  remedy = "Consent again: oauthctl apply."
  needs  = "person"
}

hint "login_required" {
  cause  = "Nobody is signed in at the server."
  remedy = "Sign in again: oauthctl apply."
  needs  = "person"
}

hint "account_selection_required" {
  cause  = "Several accounts are signed in, and the server wants to know which one is meant."
  remedy = "Set account, or prompt = \"select_account\" in the grant block, and run oauthctl apply."
  needs  = "person"
}

hint "consent_required" {
  cause  = "Consent is missing for a scope."
  remedy = "Consent again: oauthctl apply."
  needs  = "person"
}

hint "registration_not_supported" {
  cause  = "The server does not accept the registration parameter."
  remedy = "Remove registration from authorize_params."
  needs  = "configuration"
}

hint "request_not_supported" {
  cause  = "The server does not accept request objects."
  remedy = "Remove request from authorize_params."
  needs  = "configuration"
}

# --- device grant, RFC 8628 §3.5

hint "authorization_pending" {
  cause  = "Nobody has entered the code yet."
  remedy = "Enter the code on the page that was shown."
  needs  = "person"
}

hint "slow_down" {
  cause  = "The server was asked too often."
  remedy = "Wait and run oauthctl apply again."
  needs  = "retry"
}

hint "expired_token" {
  cause  = "The code was not entered in time."
  remedy = "Run oauthctl apply again for a new code."
  needs  = "person"
}

# --- resource indicators, RFC 8707 §2; rich requests, RFC 9396 §5

hint "invalid_target" {
  cause  = "The server does not know the resource or audience, or does not serve it to this client."
  remedy = "Check resource and audience against the server's documentation."
  needs  = "configuration"
}

hint "invalid_authorization_details" {
  cause  = "The server does not accept authorization_details."
  remedy = "Check authorization_details in authorize_params against the server's documentation."
  needs  = "configuration"
}

# --- resource servers, RFC 6750 §3.1

hint "invalid_token" {
  cause  = "The access token has expired, was revoked, or is not meant for this server."
  remedy = "Ask for a new one: oauthctl token -force-refresh NAME."
  needs  = "retry"
}

hint "insufficient_scope" {
  cause  = "The access token lacks a scope."
  remedy = "Add the scope to the connection and run oauthctl apply."
  needs  = "configuration"
}

# --- revocation, RFC 7009 §2.2.1

hint "unsupported_token_type" {
  cause  = "The server cannot revoke tokens of this kind."
  remedy = "End the access in the account's settings at the server."
  needs  = "person"
}

# --- further extensions: RFC 9449 §5, RFC 9101 §7, OpenID Connect CIBA

hint "invalid_dpop_proof" {
  cause  = "The server wants tokens that are bound to a key (DPoP), or did not accept the proof."
  remedy = "Allow bearer tokens in the client's registration."
  needs  = "configuration"
}

hint "use_dpop_nonce" {
  cause  = "The server wants tokens that are bound to a key (DPoP)."
  remedy = "Allow bearer tokens in the client's registration."
  needs  = "configuration"
}

hint "invalid_request_object" {
  cause  = "The server wants signed request objects, or did not accept one."
  remedy = "Allow plain authorization requests in the client's registration."
  needs  = "configuration"
}

hint "unmet_authentication_requirements" {
  cause  = "The sign-in was not strong enough for what was asked."
  remedy = "Sign in again with the second factor that the server wants: oauthctl apply."
  needs  = "person"
}

hint "too_many_requests" {
  cause  = "The server was asked too often."
  remedy = "Wait and try again."
  needs  = "retry"
}

hint "rate_limit_exceeded" {
  cause  = "The server was asked too often."
  remedy = "Wait and try again."
  needs  = "retry"
}
