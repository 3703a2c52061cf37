"""A Slurm of two nodes on this machine: `cpu` with n1, `gpu` with n2 and its one pretended GPU, and
`both`.

All daemons are children of this process, listen on the loopback address and keep their files in one
folder; only the configuration must lie in /etc/slurm, since jobs do not hand on SLURM_CONF.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

CONFIGURATION = Path("/etc/slurm")

# Made for a real cluster of these names, but for what lets one machine be two nodes: the nodes'
# ports and host, the CPUs and memory they pretend to have, and a GPU that is any device file.
SLURM_CONF = """\
ClusterName=stormdraw
SlurmctldHost={host}(127.0.0.1)
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmctldPort=16817
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
GresTypes=gpu
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
SlurmdParameters=config_overrides
ReturnToService=2
JobFileAppend=1
KillWait=30
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port=16818 CPUs=8 RealMemory=64000
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port=16819 CPUs=8 RealMemory=64000 Gres=gpu:1
PartitionName=cpu Nodes=n1 MaxTime=INFINITE State=UP Default=YES
PartitionName=gpu Nodes=n2 MaxTime=INFINITE State=UP
PartitionName=both Nodes=n1,n2 MaxTime=INFINITE State=UP
"""
GRES_CONF = "NodeName=n2 Name=gpu File=/dev/null\n"


def wait_until(true: Callable[[], object], seconds: float, what: str) -> None:
    """Look every half second; raises TimeoutError if it does not come true."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.5)


class SlurmCluster:
    """Started on entering, and all of it stopped on leaving."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.daemons: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "SlurmCluster":
        if (CONFIGURATION / "slurm.conf").exists():
            raise RuntimeError(
                f"{CONFIGURATION}/slurm.conf is there: this machine has its own Slurm, or these "
                "tests were killed; remove it if it says ClusterName=stormdraw"
            )
        self.folder.mkdir(parents=True)
        try:
            self._configure()
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *raised: object) -> None:
        self._stop()

    def ask(self, *command: str) -> str:
        """The output of a Slurm command."""
        return subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=60
        ).stdout

    def jobs_of(self, rule: str) -> list[dict[str, str]]:
        """What `scontrol show job` says of each job of a rule, oldest first."""
        shown = self.ask("scontrol", "--oneliner", "show", "job")
        jobs = [
            dict(part.split("=", 1) for part in line.split() if "=" in part)
            for line in shown.splitlines()
        ]
        return [job for job in jobs if job.get("Comment", "").startswith(f"rule_{rule}")]

    def fail_node(self, name: str) -> None:
        """As if it had died: what runs there ends. Then it is there again."""
        update = ["scontrol", "update", f"nodename={name}"]
        self.ask(*update, "state=down", "reason=test")
        # Refused if it has come back by itself.
        subprocess.run([*update, "state=resume"], capture_output=True, timeout=60)
        state = ["sinfo", f"--nodes={name}", "--partition=both", "--noheader", "--format=%T"]
        wait_until(lambda: "down" not in self.ask(*state), 60, f"{name} to come back")

    def _configure(self) -> None:
        CONFIGURATION.mkdir(exist_ok=True)
        conf = SLURM_CONF.format(host=socket.gethostname().partition(".")[0], folder=self.folder)
        (CONFIGURATION / "slurm.conf").write_text(conf)
        (CONFIGURATION / "gres.conf").write_text(GRES_CONF)
        for name in ("state", "spool-n1", "spool-n2"):
            (self.folder / name).mkdir()
        key = self.folder / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(os.urandom(128))

    def _start(self) -> None:
        socket_path = self.folder / "munge.socket"
        self._daemon(
            "munged",
            "--foreground",
            "--force",
            f"--socket={socket_path}",
            f"--key-file={self.folder / 'munge.key'}",
            f"--pid-file={self.folder / 'munged.pid'}",
            f"--seed-file={self.folder / 'munge.seed'}",
        )
        wait_until(socket_path.exists, 20, "munged")
        self._daemon("slurmctld", "-D")
        for node in ("n1", "n2"):
            self._daemon("slurmd", "-D", "-N", node)
        wait_until(self._nodes_are_idle, 60, "two idle nodes")

    def _daemon(self, program: str, *arguments: str) -> None:
        with open(self.folder / f"{program}-output.log", "ab") as log:
            self.daemons.append(
                subprocess.Popen(
                    [shutil.which(program) or f"/usr/sbin/{program}", *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            )

    def _nodes_are_idle(self) -> bool:
        states = subprocess.run(
            ["sinfo", "--Node", "--noheader", "--format=%N:%T"], capture_output=True, text=True
        )
        # Once for each of its partitions.
        return set(states.stdout.split()) == {"n1:idle", "n2:idle"}

    def _stop(self) -> None:
        """Cancel what still runs, then end the daemons, youngest first, by their own processes."""
        if len(self.daemons) > 1:
            subprocess.run(["scancel", "--user=root"], capture_output=True, timeout=60)
            wait_until(lambda: not self._active_jobs(), 60, "the jobs to end")
        for daemon in reversed(self.daemons):
            daemon.terminate()
            try:
                daemon.wait(timeout=30)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        self.daemons.clear()
        for name in ("slurm.conf", "gres.conf"):
            (CONFIGURATION / name).unlink(missing_ok=True)

    def _active_jobs(self) -> str:
        active = ["squeue", "--noheader", "--states=running,completing,configuring"]
        return subprocess.run(active, capture_output=True, text=True, timeout=60).stdout
