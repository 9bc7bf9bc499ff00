# SharePoint Server farms (2013, 2016, 2019, Subscription Edition) that trust Azure ACS: apps that ask
# for consent while they run. Not SharePoint Online, where ACS ended on 2026-04-02.
# Sources: https://learn.microsoft.com/sharepoint/dev/sp-add-ins/ (authorization-code-oauth-flow-for-sharepoint-add-ins,
# register-sharepoint-add-ins, retirement-announcement-for-azure-acs, replace-an-expiring-client-secret-in-a-sharepoint-add-in);
# TokenHelper.cs of https://github.com/pnp/PnP-Sites-Core.
# Unverified: the answer when consent is denied; whether an unknown state is handed back; that the used refresh token stays valid.

provider "sharepoint" {
  title = "SharePoint Server with ACS"
  docs  = "https://learn.microsoft.com/sharepoint/dev/sp-add-ins/authorization-code-oauth-flow-for-sharepoint-add-ins"

  argument "site_url" {
    required = true
    pattern  = "https://[^/?#\\s@]+(/[^?#\\s]*)?|http://(localhost|127\\.0\\.0\\.1|\\[::1\\])(:[0-9]+)?(/[^?#\\s]*)?"
    doc      = "https URL of the site that consent is asked for."
    example  = "https://sharepoint.fabrikam.example/print"
  }

  argument "realm" {
    default = "auto"
    pattern = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    doc     = "Realm of the farm, a GUID; auto asks the site."
    example = "5a4db0c5-1111-4222-8333-9ee4cbd0a1f7"
  }

  argument "cloud" {
    default = "auto"
    pattern = "auto|public|china"
    doc     = "Cloud of the ACS that the farm trusts: public, china (21Vianet), or auto: china for hosts that end in .cn."
    example = "china"
  }

  argument "is_dlg" {
    default = "false"
    pattern = "true|false"
    doc     = "true shows the consent page in the form for pop-up windows (IsDlg=1)."
    example = "true"
  }

  # The site is what consent is given for. It names no issuer of its own.
  issuer = trimsuffix(join("", [
    lower(regex("^[a-z]+://[^/]*", arg.site_url)),
    regex("^[a-z]+://[^/]*(.*)$", arg.site_url)[0],
  ]), "/")
  discovery = "none"
  authorization_endpoint = join("", [
    lower(regex("^[a-z]+://[^/]*", arg.site_url)),
    trimsuffix(regex("^[a-z]+://[^/]*(.*)$", arg.site_url)[0], "/"),
    "/_layouts/15/OAuthAuthorize.aspx",
  ])
  token_endpoint = arg.realm == "auto" ? "" : join("/", [
    "https://accounts.accesscontrol.${
      arg.cloud == "china" || arg.cloud == "auto" && can(regex("(?i)^[a-z]+://[^/:]*\\.cn(:|/|$)", arg.site_url)) ? "chinacloudapi.cn" : "windows.net"
    }",
    lower(arg.realm),
    "tokens/OAuth/2",
  ])

  grants      = ["authorization_code", "refresh_token"]
  client_auth = ["client_secret_post"]
  pkce        = "broken" # not documented

  authorize_params = { IsDlg = arg.is_dlg == "true" ? "1" : "" }

  # AppRegNew.aspx takes https only, and compares the whole URI.
  redirect {
    https      = true
    fixed_port = true
  }

  token_lifetimes {
    access  = "12h"
    refresh = "180d" # six months
  }

  # Every answer may bring a newer one, which replaces the one before it.
  rotation {
    kind = "replaced"
  }

  revocation      = "none"
  revocation_note = "A site owner removes the application at SITE/_layouts/15/AppPrincipals.aspx."

  quirks = ["realm_challenge", "scope_aliases", "no_state", "aadsts", "realm_principals", "epoch_lifetime"]

  hint "*" {
    match  = ["AADSTS90002"]
    cause  = "ACS does not know the realm."
    remedy = "Remove realm, so that the site is asked for it. If the farm belongs to another cloud, set cloud."
    needs  = "configuration"
  }
  hint "*" {
    match  = ["AADSTS700016", "ACS50001"]
    cause  = "The realm does not know the application."
    remedy = "Compare client_id with SITE/_layouts/15/AppInv.aspx (Lookup); it has to be registered with AppRegNew.aspx at this farm."
    needs  = "configuration"
  }
  hint "*" {
    match  = ["AADSTS7000215", "ACS50012"]
    cause  = "The client secret is wrong."
    remedy = "Set client_secret to the add-in secret that AppRegNew.aspx showed, its = at the end included."
    needs  = "configuration"
  }
  hint "*" {
    match  = ["AADSTS7000222"]
    cause  = "The client secret has expired; it lives one year unless it was made for longer."
    remedy = "Make a new one (replace-an-expiring-client-secret-in-a-sharepoint-add-in), set client_secret, and secret_expires_at to be warned next time."
    needs  = "administrator"
  }
  hint "*" {
    match  = ["AADSTS500011", "AADSTS50001"]
    cause  = "The realm has no SharePoint at this host."
    remedy = "Write site_url with the host that users see, and its port if it has one."
    needs  = "configuration"
  }
  hint "*" {
    match  = ["AADSTS50011"]
    cause  = "The redirect URI is not the registered one; it is compared letter by letter."
    remedy = "Look it up at SITE/_layouts/15/AppInv.aspx, and write it in redirect_uris."
    needs  = "configuration"
  }
  hint "*" {
    match  = ["AADSTS70008"]
    cause  = "The code has expired: it lives about 5 minutes."
    remedy = "Run oauthctl apply again, and answer sooner."
    needs  = "person"
  }
  hint "*" {
    match  = ["AADSTS54005"]
    cause  = "The code was used before."
    remedy = "Run oauthctl apply again."
    needs  = "person"
  }
  hint "*" {
    match  = ["AADSTS700082", "AADSTS70000"]
    cause  = "The refresh token has ended: it lives about six months."
    remedy = "Consent again: oauthctl apply."
    needs  = "person"
  }
  hint "access_denied" {
    cause  = "The person did not trust the application, or may not: that takes the permission level Manage on what is asked for."
    remedy = "Run oauthctl apply again, and let somebody who manages the site choose \"Trust It\"."
    needs  = "person"
  }
}
