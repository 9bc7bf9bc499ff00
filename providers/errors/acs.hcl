# Errors of Access Control Service (ACS), which gives tokens to SharePoint
# add-ins. Today it mostly answers with AADSTS numbers; these are its older ones.
# Source, where an entry names no other:
# https://learn.microsoft.com/previous-versions/azure/azure-services/gg185949(v=azure.100)

error "ACS50000" {
  name    = "token not issued"
  meaning = "A token could not be issued."
  cause   = "The request does not fit the registration of the add-in: client_id, realm or resource."
  remedy  = "Compare client_id with AppRegNew.aspx (or AppInv.aspx) of the site, and site_url with the site."
  needs   = "configuration"
}

error "ACS50001" {
  name    = "resource unknown"
  meaning = "The relying party was not found."
  cause   = "The resource is not known in the realm: site_url names a host that is not registered there."
  remedy  = "Check site_url."
  needs   = "configuration"
}

error "ACS50006" {
  name    = "signature not valid"
  meaning = "The signature of a token could not be verified."
  cause   = "A token was signed with another secret or key."
  remedy  = "Check client_secret."
  needs   = "configuration"
}

error "ACS50008" {
  name    = "SAML token not valid"
  meaning = "A SAML token is not valid."
  cause   = "The token has expired, or was signed by somebody else."
  remedy  = "Start again: oauthctl apply."
  needs   = "person"
}

error "ACS50012" {
  name    = "client authentication failed"
  meaning = "The client could not be authenticated."
  cause   = "The client secret is wrong or has expired: it lives a year unless it was made for longer."
  remedy  = "Make a new secret for the add-in and set client_secret."
  needs   = "configuration"
}

error "ACS60021" {
  name    = "too many requests"
  meaning = "The tenant asked for too many tokens."
  cause   = "Too many requests were sent in a short time."
  remedy  = "Wait some minutes and try again."
  needs   = "retry"
}

error "ACS90046" {
  name    = "service busy"
  meaning = "The service is busy."
  cause   = "ACS does not answer at the moment."
  remedy  = "Try again in some minutes."
  needs   = "retry"
}

error "ACS90055" {
  name    = "too many requests"
  meaning = "Too many requests arrived."
  cause   = "The tenant sends too many requests."
  remedy  = "Wait some minutes and try again."
  needs   = "retry"
}

error "invalid_request" {
  match   = ["Token type is not allowed"]
  name    = "token type not allowed"
  meaning = "SharePoint Online refuses tokens of ACS."
  cause   = "The tenant does not accept app-only tokens of ACS (DisableCustomAppAuthentication), the default of new tenants; ACS for SharePoint Online was retired on 2 April 2026."
  remedy  = "Register an app in Microsoft Entra ID and use the preset microsoft."
  needs   = "configuration"
  source  = "https://learn.microsoft.com/sharepoint/dev/sp-add-ins/add-ins-and-azure-acs-retirements-faq"
}
