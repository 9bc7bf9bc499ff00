# Tests of ../microsoft365.hcl, on the sandbox:
#
#   oauthctl test -config=examples/microsoft365.hcl

variables {
  tenant = "fabrikam.onmicrosoft.com"
}

# Before anything is applied: who is needed, and for what.
run "plan" {
  command = plan

  assert {
    condition     = plan.connection.graph.needs_user && plan.connection.graph.way == "browser"
    error_message = "Somebody should have to consent to graph in a browser."
  }
  assert {
    condition     = !plan.connection.nightly.needs_user
    error_message = "A nightly job cannot wait for a person."
  }
  assert {
    condition     = contains(plan.connection.graph.scopes, "offline_access")
    error_message = "Without offline_access there is no refresh token."
  }
}

run "consent" {
  assert {
    condition     = connection.graph.account == "alice@contoso.com"
    error_message = "Another account has consented."
  }
  assert {
    condition     = output.graph_expires_at == connection.graph.expires_at
    error_message = "The output should say when the token ends."
  }
}

# Whoever signs in as somebody else does not replace Alice's tokens.
run "somebody_else" {
  sandbox {
    consent = "wrong_account"
  }
  plan_options {
    replace = [connection.graph]
  }
  expect_failures = [connection.graph]
}

# Entra ends the refresh token of a single-page application after 24 hours.
run "a_day_later" {
  command = plan
  after   = "25h"

  assert {
    condition     = plan.connection.page.action == "reauthorize" && plan.connection.graph.action == "no-op"
    error_message = "The page should need a new consent, and graph should not."
  }
}
