// The API server of Kubernetes as it is, built for tests: nobody publishes it as a bare binary for
// every machine, and the module proxy has its source.
package main

import (
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() {
	os.Exit(cli.Run(app.NewAPIServerCommand()))
}
