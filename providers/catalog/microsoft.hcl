# Microsoft Entra ID (Azure AD) and personal Microsoft accounts, v2.0 endpoints.
# Sources: https://learn.microsoft.com/entra/identity-platform/ (v2-protocols-oidc,
# v2-oauth2-auth-code-flow, v2-oauth2-device-code, v2-oauth2-on-behalf-of-flow, v2-admin-consent, scopes-oidc,
# reply-url, refresh-tokens, configurable-token-lifetimes, access-tokens,
# authentication-national-cloud, supported-accounts-validation, reference-error-codes).
# Unverified: that issuers and keys of the national clouds are formed like those of the public cloud.

provider "microsoft" {
  title = "Microsoft Entra ID"
  docs  = "https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow"

  argument "tenant" {
    default = "common"
    pattern = "[A-Za-z0-9][A-Za-z0-9.-]*"
    doc     = "Directory to sign in to: its id or a verified domain, or organizations (any work account), consumers (personal accounts), common (both)."
    example = "contoso.onmicrosoft.com"
  }

  argument "cloud" {
    default = "public"
    pattern = "public|us-gov|us-dod|china"
    doc     = "Cloud that the tenant lives in: public (also GCC), us-gov (GCC High), us-dod, china (21Vianet). National clouds have no personal accounts."
    example = "us-gov"
  }

  # A tenant may be named by its domain, but tokens always name it by its id; on
  # common and organizations it is the account's own. {tenantid} is compared with
  # the tid claim. Personal accounts have a tenant of their own.
  issuer = "https://login.${arg.cloud == "china" ? "partner.microsoftonline.cn" : arg.cloud == "public" ? "microsoftonline.com" : "microsoftonline.us"}/${
    can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", arg.tenant)) ? lower(arg.tenant) :
    arg.tenant == "consumers" ? "9188040d-6c67-4c5b-b112-36a304b66dad" : "{tenantid}"
  }/v2.0"
  discovery              = "none"
  authorization_endpoint = "https://login.${arg.cloud == "china" ? "partner.microsoftonline.cn" : arg.cloud == "public" ? "microsoftonline.com" : "microsoftonline.us"}/${arg.tenant}/oauth2/v2.0/authorize"
  token_endpoint         = "https://login.${arg.cloud == "china" ? "partner.microsoftonline.cn" : arg.cloud == "public" ? "microsoftonline.com" : "microsoftonline.us"}/${arg.tenant}/oauth2/v2.0/token"
  device_endpoint        = "https://login.${arg.cloud == "china" ? "partner.microsoftonline.cn" : arg.cloud == "public" ? "microsoftonline.com" : "microsoftonline.us"}/${arg.tenant}/oauth2/v2.0/devicecode"
  jwks_uri               = "https://login.${arg.cloud == "china" ? "partner.microsoftonline.cn" : arg.cloud == "public" ? "microsoftonline.com" : "microsoftonline.us"}/${arg.tenant}/discovery/v2.0/keys"
  id_token               = true

  grants      = ["authorization_code", "device_code", "client_credentials", "jwt_bearer", "refresh_token"]
  client_auth = ["client_secret_post", "client_secret_basic", "private_key_jwt", "federated", "none"]
  pkce        = "supported" # S256 works although the metadata does not say so

  # learn.microsoft.com/entra/identity-platform/certificate-credentials; the
  # audience of federated tokens: /entra/workload-id/workload-identity-federation
  client_assertion {
    audience       = "token_endpoint"
    algorithms     = ["PS256", "RS256"]
    certificate    = true
    token_audience = "api://AzureADTokenExchange"
  }

  # The on-behalf-of flow: the assertion is the token of a person, for this client.
  jwt_bearer {
    on_behalf_of = true
  }

  offline_scope = "offline_access"

  # The port of http://localhost is ignored, the path is compared; 127.0.0.1 can
  # only be registered by editing the manifest; [::1] cannot.
  redirect {
    loopback_host = "localhost"
    path          = ""
    refused       = ["::1"]
  }

  token_lifetimes {
    access  = "1h"  # 60 to 90 minutes at random
    refresh = "90d" # without use; 24 h for single-page registrations
  }

  rotation {
    kind = "replaced"
  }

  revocation      = "none"
  revocation_note = "Remove the app at https://myapps.microsoft.com (work accounts) or https://account.microsoft.com/privacy (personal accounts), or let an administrator revoke the user's sessions."

  quirks = ["tenant_rules", "single_resource", "spa_origin", "account_scopes", "aadsts", "error_names"]

  # The page for administrators, v2-admin-consent. It needs a tenant, or organizations.
  hint "*" {
    match  = ["AADSTS90094", "AADSTS90095"]
    cause  = "Only an administrator may consent to these scopes."
    remedy = "Ask an administrator to open https://login.${arg.cloud == "china" ? "partner.microsoftonline.cn" : arg.cloud == "public" ? "microsoftonline.com" : "microsoftonline.us"}/${contains(["common", "consumers"], arg.tenant) ? "organizations" : arg.tenant}/v2.0/adminconsent?client_id={client_id}&scope={scope}&redirect_uri={redirect_uri} and to consent for the organization; then run oauthctl apply again."
    needs  = "administrator"
  }
  hint "*" {
    match  = "AADSTS65001"
    cause  = "Nobody has consented to these scopes yet, or a scope was added since."
    remedy = "Consent in the browser. If users may not consent, ask an administrator to open https://login.${arg.cloud == "china" ? "partner.microsoftonline.cn" : arg.cloud == "public" ? "microsoftonline.com" : "microsoftonline.us"}/${contains(["common", "consumers"], arg.tenant) ? "organizations" : arg.tenant}/v2.0/adminconsent?client_id={client_id}&scope={scope}&redirect_uri={redirect_uri} and to consent for the organization."
    needs  = "person"
  }
}
