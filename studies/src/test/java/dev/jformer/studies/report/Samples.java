package dev.jformer.studies.report;

import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Claim;
import dev.jformer.studies.evidence.Estimate;
import dev.jformer.studies.evidence.Evidence;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Machine;
import dev.jformer.studies.evidence.Table;
import java.util.List;

/** Evidence to draw, with everything that could go wrong in it. */
final class Samples {
  private Samples() {}

  static Evidence evidence(String scale) {
    Figure curves =
        new Figure(
            "Time & memory <by> length",
            "tokens",
            "seconds",
            true,
            true,
            List.of(
                Figure.Series.line(
                    "flow", List.of(256.0, 1024.0, 16384.0), List.of(0.001, 0.004, 0.07)),
                Figure.Series.line(
                    "softmax \"fused\"",
                    List.of(256.0, 1024.0, 4096.0, 16384.0),
                    List.of(0.0005, 0.006, Double.NaN, 1.2))));
    Figure pareto =
        new Figure(
            "Quality against speed",
            "tokens/s",
            "loss",
            false,
            false,
            List.of(
                Figure.Series.point("plain", 5200, 1.62),
                Figure.Series.point("a technique with a long name", 7100, 1.66)));
    return new Evidence(
        "sample",
        "A study <with> \"everything\" & more",
        scale,
        "jformer reproduce sample --data 'a b.txt'",
        "0.1 at 0123abc",
        new Machine("Some processor", 2, "Linux amd64", "17.0.1"),
        "2020-01-01T00:00:00Z",
        12.3,
        "1 of 2 claims <hold> here.",
        List.of(
            new Claim("grows linearly", "exponent 1", Check.atMost("exponent", 1.04, 1.15), "", ""),
            new Claim(
                "is < better",
                "",
                Check.below("loss", 2.5, 2.4),
                "too | small a budget",
                "the <plain> model"),
            Claim.that(
                "As accurate as the plain model",
                Check.atLeast(
                    "accuracy (%)",
                    Estimate.ofSeeds(List.of(61.0, 63.0, 62.0)),
                    Estimate.ofSeeds(List.of(61.5, 62.5, 63.5))))),
        List.of(
            new Table(
                "All | figures",
                List.of(
                    "mixer", "tokens/s", "loss", "peak memory, MiB", "operations a token", "bytes"),
                List.of(
                    Table.row("plain", 5200.0, 1.62, 311.0, 2.1e7, 12_345_678L),
                    Table.row(
                        "a technique with a long name", 7100.0, Double.NaN, 290.5, 1.9e7, 3L)))),
        List.of(curves, pareto),
        List.of("A note with <tags> & a very long path /usr/share/" + "x".repeat(200)));
  }
}
