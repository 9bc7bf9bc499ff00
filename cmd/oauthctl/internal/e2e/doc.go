// Package e2e holds the tests that use the program as its users do: the real
// binary, an authorization server that we did not write (the certified npm
// oidc-provider), a real browser (Chromium), and a real terminal.
//
// It does not know how anything works inside.
package e2e
