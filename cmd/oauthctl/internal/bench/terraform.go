package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// minTimesTerraform is how much more CPU Terraform's plan takes at least.
const minTimesTerraform = 20

// terraform plans as many terraform_data resources, a block each (with one
// for_each block it does not finish in reasonable time), and is compared with
// the slower of our two plans.
func (b *bench) terraform(ctx context.Context, ourWall, ourCPU time.Duration) error {
	bin, err := exec.LookPath("terraform")
	if err != nil {
		fmt.Println("plan: LEFT OUT the comparison: no terraform on the PATH")
		return nil
	}
	dir, err := b.terraformProject(ctx, bin)
	if err != nil {
		return err
	}
	var plans []usage
	for range b.tfRuns {
		u, err := b.measure(ctx, dir, bin, "plan", "-detailed-exitcode")
		if err != nil {
			return err
		}
		plans = append(plans, u)
	}
	w, c := median(plans, wall), median(plans, cpu)
	fmt.Printf("terraform plan of %d unchanged terraform_data: wall %v, CPU %v (%d runs); oauthctl takes 1/%s of the wall and 1/%s of the CPU (at most 1/%d)\n", b.large,
		ms(w), ms(c), len(plans), ratio(w, ourWall), ratio(c, ourCPU), minTimesTerraform)
	if c < minTimesTerraform*ourCPU {
		return fmt.Errorf("terraform takes only %s× the CPU", ratio(c, ourCPU))
	}
	return nil
}

// terraformProject writes the configuration and, from the state of one applied
// resource, the state of all of them.
func (b *bench) terraformProject(ctx context.Context, bin string) (string, error) {
	dir := filepath.Join(b.dir, "terraform")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	block := func(i int) string {
		return fmt.Sprintf("resource \"terraform_data\" \"c%05d\" {\n  input = { client_id = \"client\", scopes = [\"read\", \"write\"], token_url = \"https://idp.example/token\" }\n}\n", i)
	}
	main := filepath.Join(dir, "main.tf")
	if err := os.WriteFile(main, []byte(block(0)), 0o600); err != nil {
		return "", err
	}
	for _, args := range [][]string{{"init"}, {"apply", "-auto-approve"}} {
		if _, err := b.measure(ctx, dir, bin, args...); err != nil {
			return "", err
		}
	}
	path := filepath.Join(dir, "terraform.tfstate")
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	var state map[string]any
	if err := json.Unmarshal(data, &state); err != nil {
		return "", err
	}
	one, err := json.Marshal(state["resources"].([]any)[0])
	if err != nil {
		return "", err
	}
	var config strings.Builder
	all := make([]json.RawMessage, b.large)
	for i := range b.large {
		config.WriteString(block(i))
		all[i] = json.RawMessage(strings.ReplaceAll(string(one), `"c00000"`, fmt.Sprintf(`"c%05d"`, i)))
	}
	state["resources"] = all
	if data, err = json.Marshal(state); err != nil {
		return "", err
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return "", err
	}
	return dir, os.WriteFile(main, []byte(config.String()), 0o600)
}
