// Puts the packages' files into the file system of Python, as they lie in the archive: none is copied.

// The archive: the length of its list, the list – {folder: [[name, size], ...]} –, the files one after the other.
export function put(FS, root, archive) {
  let place = 4 + new DataView(archive.buffer, archive.byteOffset).getUint32(0);
  const list = JSON.parse(new TextDecoder().decode(archive.subarray(4, place)));
  for (const [folder, files] of Object.entries(list)) {
    FS.mkdirTree(`${root}/${folder}`);
    const { node } = FS.lookupPath(`${root}/${folder}`);
    for (const [name, size] of files) {
      const file = FS.filesystems.MEMFS.createNode(node, name, 0o100644, 0);
      [file.contents, file.usedBytes] = [archive.subarray(place, place += size), size];
    }
  }
}
