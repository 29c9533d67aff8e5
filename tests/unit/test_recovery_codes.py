from tasks.security.recovery import ALPHABET, HashedCodes, new_codes


def test_ten_codes_that_nobody_mistypes_or_guesses() -> None:
    codes = new_codes()

    assert len(set(codes)) == 10
    assert {len(code) for code in codes} == {14}
    assert set("".join(codes)) <= {*ALPHABET, "-"}
    assert not set("01oil") & set(ALPHABET)
    assert len(ALPHABET) ** 12 > 2**58


def test_a_code_is_good_once_however_it_is_typed() -> None:
    codes = new_codes()
    kept = HashedCodes.of(codes)

    left = kept.without(f" {codes[3].upper().replace('-', ' ')} ")

    assert left is not None
    assert len(left.hashes) == 9
    assert left.without(codes[3]) is None
    assert left.without(codes[4]) is not None
    assert kept.without("aaaa-aaaa-aaaa") is None
    assert kept.without("") is None


def test_only_hashes_are_kept_and_two_persons_with_one_code_have_different_ones() -> None:
    codes = new_codes()
    kept, other = HashedCodes.of(codes), HashedCodes.of(codes)

    assert not any(code.replace("-", "") in str(kept) for code in codes)
    assert not set(kept.hashes) & set(other.hashes)
