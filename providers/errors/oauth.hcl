# Errors of the OAuth standards: what they mean and what to do about them. A
# preset's own hints go before these. Each names its section of the standard.

# --- token endpoint, RFC 6749 §5.2

error "invalid_request" {
  name    = "request not understood"
  meaning = "A parameter is missing, repeated, or has a value that the server does not know."
  cause   = "The server did not understand the request: a parameter is missing, repeated, or has a value that it does not know."
  remedy  = "Compare authorize_params and token_params, and those of the provider block, with the server's documentation."
  needs   = "configuration"
  source  = "https://www.rfc-editor.org/rfc/rfc6749#section-5.2"
}

error "invalid_client" {
  name    = "client authentication failed"
  meaning = "The client is unknown, or did not authenticate as its registration says."
  cause   = "The server does not know the client, or its authentication failed: the client_id is wrong, the secret is wrong or has expired, or the server wants another method of client authentication."
  remedy  = "Check client_id and client_secret against the registration; if they are right, set client_auth to the method that the registration names."
  needs   = "configuration"
  source  = "https://www.rfc-editor.org/rfc/rfc6749#section-5.2"
}

error "invalid_grant" {
  name    = "code or refresh token refused"
  meaning = "The code, refresh token or assertion that was sent is not valid."
  cause   = "The code or refresh token is no longer valid: it was used before, has expired, was revoked, or belongs to another client or redirect URI."
  remedy  = "Consent again: oauthctl apply."
  needs   = "person"
  source  = "https://www.rfc-editor.org/rfc/rfc6749#section-5.2"
}

error "unauthorized_client" {
  name    = "grant not allowed for the client"
  meaning = "The client may not use this grant."
  cause   = "This client may not use this grant."
  remedy  = "Allow the grant in the client's registration, or choose another grant."
  needs   = "configuration"
  source  = "https://www.rfc-editor.org/rfc/rfc6749#section-5.2"
}

error "unsupported_grant_type" {
  name    = "grant not known"
  meaning = "The server does not have this grant."
  cause   = "The server does not have this grant."
  remedy  = "Choose another grant."
  needs   = "configuration"
  source  = "https://www.rfc-editor.org/rfc/rfc6749#section-5.2"
}

error "invalid_scope" {
  name    = "scope not valid"
  meaning = "A scope is unknown, malformed, or more than was granted."
  cause   = "A scope is unknown to the server, is misspelt, or may not be asked for by this client."
  remedy  = "Compare scopes with the server's documentation and with what the client's registration allows."
  needs   = "configuration"
  source  = "https://www.rfc-editor.org/rfc/rfc6749#section-5.2"
}

# --- authorization endpoint, RFC 6749 §4.1.2.1

error "access_denied" {
  name    = "consent refused"
  meaning = "The person or the server refused the request."
  cause   = "Consent was refused, by the person or by a rule of the server."
  remedy  = "Run oauthctl apply again and consent; if the server refused, ask its administrator."
  needs   = "person"
  source  = "https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1"
}

error "unsupported_response_type" {
  name    = "no codes for this client"
  meaning = "The server does not give authorization codes in this way."
  cause   = "The server does not give authorization codes to this client."
  remedy  = "Allow the authorization code grant in the client's registration."
  needs   = "configuration"
  source  = "https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1"
}

error "server_error" {
  name    = "the server failed"
  meaning = "The server met an unexpected condition."
  cause   = "The server failed."
  remedy  = "Try again later."
  needs   = "retry"
  source  = "https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1"
}

error "temporarily_unavailable" {
  name    = "the server is busy"
  meaning = "The server is overloaded or under maintenance."
  cause   = "The server is overloaded or under maintenance."
  remedy  = "Try again later."
  needs   = "retry"
  source  = "https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1"
}

# --- not in a standard: a code that many servers use, and a word that stands in
# their messages

error "redirect_uri_mismatch" {
  also    = ["redirect_uri", "redirect uri", "redirect url", "callback url"]
  name    = "redirect URI not registered"
  meaning = "The redirect URI is not one of the client's."
  cause   = "The redirect URI is not one of those registered for the client; scheme, host, path, case and a trailing slash all count."
  remedy  = "Register the redirect URI exactly as the plan shows it, or write the registered one in redirect_uris."
  needs   = "configuration"
  source  = "https://www.rfc-editor.org/rfc/rfc6749#section-3.1.2.4"
}

error "code_verifier" {
  also    = ["code_verifier", "code_challenge", "pkce"]
  name    = "proof key refused"
  meaning = "code_verifier and code_challenge do not fit."
  cause   = "The server did not accept the proof key (PKCE)."
  remedy  = "Run oauthctl apply again; if it happens every time, the server is broken there: set pkce = \"broken\" in a provider block."
  needs   = "configuration"
  source  = "https://www.rfc-editor.org/rfc/rfc7636#section-4.6"
}

error "too_many_requests" {
  name    = "asked too often"
  meaning = "The server limits how often it is asked."
  cause   = "The server was asked too often."
  remedy  = "Wait and try again."
  needs   = "retry"
  source  = "https://www.rfc-editor.org/rfc/rfc6585#section-4"
}

error "rate_limit_exceeded" {
  name    = "asked too often"
  meaning = "The server limits how often it is asked."
  cause   = "The server was asked too often."
  remedy  = "Wait and try again."
  needs   = "retry"
  source  = "https://www.rfc-editor.org/rfc/rfc6585#section-4"
}

# --- resource servers, RFC 6750 §3.1

error "invalid_token" {
  name    = "access token refused"
  meaning = "The access token is expired, revoked, malformed or not valid here."
  cause   = "The access token has expired, was revoked, or is not meant for this server."
  remedy  = "Ask for a new one: oauthctl token -force-refresh NAME."
  needs   = "retry"
  source  = "https://www.rfc-editor.org/rfc/rfc6750#section-3.1"
}

error "insufficient_scope" {
  name    = "a scope is missing"
  meaning = "The request needs more than the access token allows."
  cause   = "The access token lacks a scope."
  remedy  = "Add the scope to the connection and run oauthctl apply."
  needs   = "configuration"
  source  = "https://www.rfc-editor.org/rfc/rfc6750#section-3.1"
}

# --- revocation, RFC 7009 §2.2.1

error "unsupported_token_type" {
  name    = "token cannot be revoked"
  meaning = "The server cannot revoke tokens of this kind."
  cause   = "The server cannot revoke tokens of this kind."
  remedy  = "End the access in the account's settings at the server."
  needs   = "person"
  source  = "https://www.rfc-editor.org/rfc/rfc7009#section-2.2.1"
}

# --- dynamic registration, RFC 7591 §3.2.2

error "invalid_redirect_uri" {
  name    = "redirect URI refused at registration"
  meaning = "A redirect URI is not acceptable to the server."
  cause   = "The server does not accept one of the redirect URIs: often http, a loopback host or a private scheme."
  remedy  = "Use a redirect URI of a kind that the server's documentation allows."
  needs   = "configuration"
  source  = "https://www.rfc-editor.org/rfc/rfc7591#section-3.2.2"
}

error "invalid_client_metadata" {
  name    = "registration refused"
  meaning = "A field of the registration is not acceptable."
  cause   = "A grant, client authentication method or scope of the registration is not offered by the server."
  remedy  = "Compare the registration with the server's metadata document."
  needs   = "configuration"
  source  = "https://www.rfc-editor.org/rfc/rfc7591#section-3.2.2"
}

error "invalid_software_statement" {
  name    = "software statement refused"
  meaning = "The software statement is not valid."
  cause   = "The statement has expired or was signed with a key that the server does not know."
  remedy  = "Get a new software statement from whoever issued it."
  needs   = "configuration"
  source  = "https://www.rfc-editor.org/rfc/rfc7591#section-3.2.2"
}

error "unapproved_software_statement" {
  name    = "software statement not approved"
  meaning = "The server does not approve of the software statement."
  cause   = "The issuer of the statement is not one that the server trusts."
  remedy  = "Ask the administrator of the server to approve it."
  needs   = "administrator"
  source  = "https://www.rfc-editor.org/rfc/rfc7591#section-3.2.2"
}

# --- device grant, RFC 8628 §3.5

error "authorization_pending" {
  name    = "the code was not entered yet"
  meaning = "The person has not finished yet."
  cause   = "Nobody has entered the code yet."
  remedy  = "Enter the code on the page that was shown."
  needs   = "person"
  source  = "https://www.rfc-editor.org/rfc/rfc8628#section-3.5"
}

error "slow_down" {
  name    = "polled too often"
  meaning = "The server wants to be asked less often."
  cause   = "The server was asked too often."
  remedy  = "Wait and run oauthctl apply again."
  needs   = "retry"
  source  = "https://www.rfc-editor.org/rfc/rfc8628#section-3.5"
}

error "expired_token" {
  name    = "the code ran out"
  meaning = "The device code has expired."
  cause   = "The code was not entered in time."
  remedy  = "Run oauthctl apply again for a new code."
  needs   = "person"
  source  = "https://www.rfc-editor.org/rfc/rfc8628#section-3.5"
}

# --- token exchange and resources: RFC 8693 §2.2.2, RFC 8707 §2, RFC 9396 §5

error "invalid_target" {
  name    = "resource refused"
  meaning = "The server gives no tokens for the resource or audience."
  cause   = "The server does not know the resource or audience, or does not serve it to this client."
  remedy  = "Check resource and audience against the server's documentation."
  needs   = "configuration"
  source  = "https://www.rfc-editor.org/rfc/rfc8693#section-2.2.2"
}

error "invalid_authorization_details" {
  name    = "details refused"
  meaning = "The authorization_details are not valid or not known."
  cause   = "The server does not accept authorization_details."
  remedy  = "Check authorization_details in authorize_params against the server's documentation."
  needs   = "configuration"
  source  = "https://www.rfc-editor.org/rfc/rfc9396#section-5"
}

# --- pushed and signed requests: RFC 9126 §2.3, RFC 9101 §7

error "invalid_request_uri" {
  name    = "pushed request not usable"
  meaning = "The request_uri is unknown, used or expired."
  cause   = "The pushed request was used before or has expired: the page was opened too late or twice."
  remedy  = "Start again: oauthctl apply."
  needs   = "person"
  source  = "https://www.rfc-editor.org/rfc/rfc9126#section-2.2"
}

error "invalid_request_object" {
  name    = "signed request refused"
  meaning = "The request object is missing or not valid."
  cause   = "The server wants signed request objects, or did not accept one."
  remedy  = "Allow plain authorization requests in the client's registration."
  needs   = "configuration"
  source  = "https://www.rfc-editor.org/rfc/rfc9101#section-7"
}

error "request_not_supported" {
  name    = "request objects not known"
  meaning = "The server does not take the parameter request."
  cause   = "The server does not accept request objects."
  remedy  = "Remove request from authorize_params."
  needs   = "configuration"
  source  = "https://www.rfc-editor.org/rfc/rfc9101#section-7"
}

error "request_uri_not_supported" {
  name    = "request objects by reference not known"
  meaning = "The server does not take the parameter request_uri."
  cause   = "The server does not accept request objects by reference."
  remedy  = "Remove request_uri from authorize_params."
  needs   = "configuration"
  source  = "https://www.rfc-editor.org/rfc/rfc9101#section-7"
}

# --- tokens bound to a key, RFC 9449 §5, §8; step-up, RFC 9470 §3

error "invalid_dpop_proof" {
  name    = "proof of the key refused"
  meaning = "The DPoP proof is missing or not valid."
  cause   = "The server wants tokens that are bound to a key (DPoP), or did not accept the proof."
  remedy  = "Allow bearer tokens in the client's registration."
  needs   = "configuration"
  source  = "https://www.rfc-editor.org/rfc/rfc9449#section-5"
}

error "use_dpop_nonce" {
  name    = "a nonce is wanted"
  meaning = "The DPoP proof has to hold the server's nonce."
  cause   = "The server wants tokens that are bound to a key (DPoP)."
  remedy  = "Allow bearer tokens in the client's registration."
  needs   = "configuration"
  source  = "https://www.rfc-editor.org/rfc/rfc9449#section-8"
}

error "insufficient_user_authentication" {
  name    = "a stronger sign-in is wanted"
  meaning = "The sign-in behind the token is too weak or too old."
  cause   = "The server wants a stronger or fresher sign-in for this."
  remedy  = "Sign in again: oauthctl apply -replace=ADDRESS."
  needs   = "person"
  source  = "https://www.rfc-editor.org/rfc/rfc9470#section-3"
}
