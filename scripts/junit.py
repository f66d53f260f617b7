# SPDX-License-Identifier: GPL-2.0
"""Results as the XML of JUnit, which CI systems read."""

import xml.etree.ElementTree as ET


def write(path, verdict):
    """A suite for each machine, a case for each result of the verdict."""
    root = ET.Element("testsuites")
    suites = {}
    for name, good, notes, skip in verdict.results:
        machine, _, test = name.partition(": ")
        if machine not in suites:
            suites[machine] = ET.SubElement(root, "testsuite", name=machine, time="%.1f"
                                            % verdict.times.get(machine, 0))
        case = ET.SubElement(suites[machine], "testcase", classname=machine, name=test)
        if skip is not None:
            ET.SubElement(case, "skipped", message=skip)
        elif not good:
            failure = ET.SubElement(case, "failure", message=str(notes[0]) if notes else "")
            failure.text = "\n".join(map(str, notes))
    for suite in list(suites.values()) + [root]:
        cases = list(suite.iter("testcase"))
        suite.set("tests", str(len(cases)))
        for count, mark in (("failures", "failure"), ("skipped", "skipped")):
            suite.set(count, str(sum(case.find(mark) is not None for case in cases)))
    ET.indent(root)
    ET.ElementTree(root).write(path, encoding="unicode", xml_declaration=True)
