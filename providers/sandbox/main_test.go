package sandbox_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// childEnv makes the test binary one of many processes that share a journal.
const childEnv = "SANDBOX_TEST_CHILD"

func TestMain(m *testing.M) {
	if what := os.Getenv(childEnv); what != "" {
		os.Exit(child(what))
	}
	goleak.VerifyTestMain(m)
}
