package sandbox

import (
	"fmt"
	"testing"

	"github.com/oauthctl/oauthctl/providers"
)

// What the sandbox says in Microsoft's numbers can be explained.
func TestNumbersAreExplained(t *testing.T) {
	numbers := []int{28000, 50011, 65004, 70011, 90002, 90094, 700024, 700025, 700084, 700212, 901002, 1002012, 9001023, 9002326, 9002327}
	for _, e := range entraNumbers {
		numbers = append(numbers, e.number)
	}
	for _, n := range numbers {
		if found, _ := providers.FindErrors(fmt.Sprintf("AADSTS%d", n)); n != 0 && len(found) == 0 {
			t.Errorf("AADSTS%d is not in the catalogue", n)
		}
	}
}
