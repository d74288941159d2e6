"""What `make bench` and `make bench-scale` leave in bench/RESULTS.md."""

from bench import report


def test_each_command_replaces_its_own_part_and_keeps_the_others():
    results = report.replace("", "make bench-scale", "## make bench-scale\n\nold\n")
    results = report.replace(results, "make bench", "## make bench\n\n### Rates\n\nrates\n")
    results = report.replace(results, "make bench-scale", "## make bench-scale\n\nnew\n")
    assert results == (
        f"{report.TITLE}\n## make bench\n\n### Rates\n\nrates\n\n## make bench-scale\n\nnew\n"
    )


def test_figures_of_several_runs_are_a_median_between_the_lowest_and_the_highest():
    assert report.spread([1500, 1000, 1234]) == "1,234 (1,000 to 1,500)"
    assert report.spread([2.26, 2.1], digits=2) == "2.18 (2.10 to 2.26)"
    assert report.spread([1, 1, 1]) == "1"


def test_a_table_is_markdown():
    assert report.table("a | b", [[1, "x"]]) == "| a | b |\n| --- | --- |\n| 1 | x |\n"
