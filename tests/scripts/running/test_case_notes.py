import logging

from mri_attention.scripts.running.case_notes import PACKAGE, CaseNotes

logger = logging.getLogger(f"{PACKAGE}.datasets")


def test_warnings_belong_to_the_case_that_is_worked_on_and_are_kept_once() -> None:
    with CaseNotes.listening() as notes:
        logger.warning("before")
        notes.begin(0)
        logger.warning("of the\tfirst")
        logger.warning("of the first")
        logger.info("not a warning")
        notes.begin(1)
        logger.warning("of the %s", "second")
        notes.begin(0)
        logger.warning("again")
    logger.warning("after")
    assert notes.warnings == {-1: ["before"], 0: ["of the first", "again"], 1: ["of the second"]}


def test_warnings_of_other_packages_are_not_kept() -> None:
    with CaseNotes.listening() as notes:
        logging.getLogger("another").warning("something")
    assert not notes.warnings
