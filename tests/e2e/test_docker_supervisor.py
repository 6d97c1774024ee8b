"""The supervisor's own image, built by the repository's Dockerfile, in a container that may do nothing but serve."""

import pytest

from tests.fixtures.docker_engine import DockerEngine
from tests.fixtures.homes import until

pytestmark = [
    pytest.mark.realtime,
    pytest.mark.timeout(900),
    pytest.mark.xdist_group("docker"),
    # The SDK leaves the socket of a refused connection to the garbage collector.
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"),
]
HOME = "/var/lib/mcr"
SECOND_NS = 1_000_000_000


def test_it_is_healthy_as_a_user_of_its_own_with_a_root_that_nobody_writes_to(
    docker_engine: DockerEngine, supervisor_image: str
) -> None:
    with docker_engine.api() as api:
        check = api.inspect_image(supervisor_image)["Config"]["Healthcheck"]
        made = api.create_container(
            supervisor_image,
            healthcheck={"test": check["Test"], "interval": 2 * SECOND_NS, "timeout": 30 * SECOND_NS, "retries": 60},
            host_config=api.create_host_config(
                read_only=True, cap_drop=["ALL"], security_opt=["no-new-privileges:true"], network_mode="none",
                tmpfs={"/tmp": "", HOME: "uid=10001,gid=10001,mode=0700"},
            ),
        )  # fmt: skip
        try:
            api.start(made["Id"])

            def run(*command: str) -> tuple[int, str]:
                started = api.exec_create(made["Id"], list(command))
                said = api.exec_start(started["Id"]).decode()
                return api.exec_inspect(started["Id"])["ExitCode"], said

            def state() -> str:
                return f"{api.inspect_container(made['Id'])['State']}\n{api.logs(made['Id'])[-2000:]!r}"

            until(lambda: api.inspect_container(made["Id"])["State"]["Health"]["Status"] == "healthy", 240.0, state)
            assert run("id", "-u") == (0, "10001\n")
            assert run("touch", "/opt/mcr/x")[0] != 0
            code, said = run("mcr", "status")
            assert code == 0, said
            api.kill(made["Id"], "SIGTERM")
            assert api.wait(made["Id"], timeout=60)["StatusCode"] == 0, state()
        finally:
            api.remove_container(made["Id"], force=True)
