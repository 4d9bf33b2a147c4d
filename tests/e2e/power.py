"""The power goes: what a coordinator did not sync is thrown away at the kill. power_shim.c keeps, beside the data directory, what is on the
disk; here that takes the directory's place. What was written and not synced may have reached the disk all the same, sector by
sector: each file keeps nothing of it or a random part from its beginning."""
import os
import shutil

from harness import preload

SECTOR_BYTES = 512  # a disk writes one whole or not at all


class Power:
    def __init__(self, weir, rng, data="data"):
        self.data, self.disk, self.rng = weir.path(data), weir.path("disk"), rng
        self.losses, self.dropped_bytes, self.torn_files = 0, 0, 0
        self.environment = {"LD_PRELOAD": preload("power_shim"), "WEIR_POWER_DIR": self.data, "WEIR_POWER_DISK": self.disk}

    def off(self):
        """After the kill, before the next start."""
        left, root = self.data + ".left", os.path.join(self.disk, "root")
        if os.path.exists(root):
            shutil.copytree(root, left)
        else:
            os.mkdir(left)
        for folder, _, names in os.walk(self.data):
            for name in names:
                live = os.path.join(folder, name)
                self.tear(live, os.path.join(left, os.path.relpath(live, self.data)))
        shutil.rmtree(self.data)
        shutil.rmtree(self.disk)
        os.rename(left, self.data)
        self.losses += 1

    def tear(self, live, left):
        """`live` is the file as the program saw it, `left` as it was synced, under the name it had then."""
        written = os.path.getsize(live)
        if not self.is_same(live, left):
            self.dropped_bytes += written
            return
        synced = os.path.getsize(left)
        tail = written - synced
        ends = [*range(synced - synced % SECTOR_BYTES + SECTOR_BYTES, written, SECTOR_BYTES), written]
        keep = self.rng.choice(ends) - synced if tail > 0 and self.rng.random() < 0.5 else 0
        self.dropped_bytes += max(0, tail - keep)
        if keep:
            self.torn_files += 1
            with open(live, "rb") as from_, open(left, "ab") as to:
                from_.seek(synced)
                to.write(from_.read(keep))

    def is_same(self, live, left):
        """Under this name the disk has this file, not one that had the name before it."""
        on_disk = os.path.join(self.disk, "root", os.path.relpath(live, self.data))
        bytes_ = os.path.join(self.disk, "files", str(os.stat(live).st_ino))
        return os.path.exists(left) and os.path.exists(bytes_) and os.path.samefile(on_disk, bytes_)

    def tally(self):
        return {"power_losses": self.losses, "dropped_bytes": self.dropped_bytes, "torn_files": self.torn_files}
