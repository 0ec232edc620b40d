# What the boot loader does, fixed in its control tree. It reads a disk that anybody may have
# written: of uboot.env it takes three variables and nothing else, and whatever they say, the words
# that it acts on are its own.
virtio scan
setenv slot
setenv trial
setenv tries
if fatload virtio 0 41000000 uboot.env 10000 && env import -c 41000000 ${filesize} slot trial tries; then
  setenv first uboot.bak; setenv second uboot.env
  echo holdfast: state read
elif fatload virtio 0 41000000 uboot.bak 10000 && env import -c 41000000 ${filesize} slot trial tries; then
  setenv first uboot.env; setenv second uboot.bak
  echo holdfast: state read from its copy
else
  echo holdfast: no state
fi
setenv size ${filesize}

if test "${slot}" = b; then setenv slot b; else setenv slot a; fi
setenv boot ${slot}
setenv try
if test "${trial}" = a; then setenv try a; elif test "${trial}" = b; then setenv try b; fi
if test "${tries}" -ge 1 && test "${tries}" -le 9; then setexpr tries "${tries}" - 1; else setenv try; fi

# A try is counted before it is made. Without a saved count there would be no end to a crash. The
# file that was read is written last: it is whole, and the other one may be torn.
if test -n "${try}"; then
  setenv trial ${try}
  if env export -c -s ${size} 41000000 slot trial tries && fatwrite virtio 0 41000000 ${first} ${size} && fatwrite virtio 0 41000000 ${second} ${size}; then
    setenv boot ${try}
    echo holdfast: trial of ${boot}, ${tries} tries left
  else
    setenv try
    echo holdfast: cannot count tries, so there is no trial
  fi
fi
echo holdfast: slot ${boot}
setenv bootargs holdfast.slot=${boot}

# Only a FIT image passes "fdt addr". Builds of U-Boot from before 2026 believe the image about which
# of its nodes are signed (CVE-2026-46728): here the list has to be the right one.
setenv wrong
setenv index 0
if fatload virtio 0 44000000 ${boot}.itb 4000000 && fdt addr 44000000; then
  for want in / /configurations/conf-1 /images/kernel-1 /images/kernel-1/hash-1 /images/fdt-1 /images/fdt-1/hash-1; do
    setenv got
    fdt get value got /configurations/conf-1/signature-1 hashed-nodes ${index}
    if test "${got}" != "${want}"; then setenv wrong 1; fi
    setexpr index ${index} + 1
  done
  if fdt get value got /configurations/conf-1/signature-1 hashed-nodes ${index}; then setenv wrong 1; fi
fi
if test "${index}" = 6 && test -z "${wrong}"; then bootm 44000000#conf-1; fi

# A trial that is refused costs a try; a refused slot ends here, with nothing to fall back on.
echo holdfast: refused ${boot}
if test -n "${try}"; then reset; fi
poweroff
