// Package backendtest has the suite that every state.Backend must pass, and a
// backend in memory for the tests of others.
//
// It does not know how a backend stores what it is given.
package backendtest
