"""Small whole numbers as bytes, with no bit between them; what is left of a sample's last byte is 0."""

from __future__ import annotations

from typing import Any

BYTE_BITS = 8


def bits_for(largest: int) -> int:
    """Bits of a number from 0 to `largest`, which is at least 1."""
    return max(1, largest.bit_length())


def packed_bytes(n_codes: int, bits: int) -> int:
    """Bytes of one sample's codes: their bits, rounded up to whole bytes once."""
    return -(-n_codes * bits // BYTE_BITS)


def pack(codes: Any, bits: int) -> Any:
    """Whole numbers (batch, n), each of `bits` bits -> bytes (batch, packed_bytes), the lowest bit first."""
    import torch

    if bits == BYTE_BITS:
        return codes.to(torch.uint8)
    shifts = torch.arange(bits, device=codes.device, dtype=torch.int32)
    stream = ((codes.to(torch.int32)[..., None] >> shifts) & 1).to(torch.uint8).flatten(1)  # (B, n * bits)
    missing = packed_bytes(codes.shape[1], bits) * BYTE_BITS - stream.shape[1]
    octets = torch.nn.functional.pad(stream, (0, missing)).view(len(codes), -1, BYTE_BITS)  # (B, bytes, 8)
    return (octets << _octet(octets)).sum(2, dtype=torch.uint8)


def unpack(packed: Any, bits: int, n_codes: int) -> Any:
    """Bytes (batch, packed_bytes) -> whole numbers (batch, n_codes), as int64."""
    import torch

    if bits == BYTE_BITS:
        return packed.long()
    stream = ((packed[..., None] >> _octet(packed)) & 1).flatten(1)[:, : n_codes * bits]
    shifts = torch.arange(bits, device=packed.device, dtype=torch.int32)
    return (stream.unflatten(1, (n_codes, bits)).to(torch.int32) << shifts).sum(2)


def _octet(like: Any) -> Any:
    import torch

    return torch.arange(BYTE_BITS, device=like.device, dtype=torch.uint8)
