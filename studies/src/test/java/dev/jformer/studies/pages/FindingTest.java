package dev.jformer.studies.pages;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.studies.catalogue.Goal;
import dev.jformer.studies.catalogue.TableReference;
import dev.jformer.studies.evidence.Evidence;
import dev.jformer.studies.evidence.Machine;
import dev.jformer.studies.evidence.Table;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Figures of tables, compared. */
class FindingTest {
  private static Finding found(String mine, String other, boolean higher) {
    Table table =
        new Table(
            "Models", List.of("arm", "loss"), List.of(List.of("a", mine), List.of("b", other)));
    Evidence evidence =
        new Evidence(
            "x",
            "X",
            "laptop",
            "",
            "",
            Machine.here(),
            "",
            0,
            "",
            List.of(),
            List.of(table),
            List.of(),
            List.of());
    return Finding.of(
        new TableReference(Goal.QUALITY, "a", "loss", "b", null, higher, null), evidence);
  }

  /** A mean with its spread in one cell, as tables over seeds have it. */
  @Test
  void cellsMayHoldTheirSpread() {
    Finding finding = found("50.46 ± 0.42", "21.20 ± 1,000", true);
    assertEquals("50.46", finding.value());
    assertEquals("0.42", finding.spread());
    assertEquals("21.20 (spread 1,000)", finding.otherFigure());
    assertEquals("within the spread", finding.difference());
    assertEquals(
        "2.4 times as much: better", found("50.46 ± 0.42", "21.20 ± 0.42", true).difference());
    assertEquals("+29.8 %: worse", found("0.0562 ± 0.0048", "0.0433 ± 0.0050", false).difference());
    assertTrue(found("5.37e-06 ± 5.7e-07", "0.6835 ± 0", false).isBetter());
    assertFalse(found("1 ± 0", "1 ± 0", false).isBetter());
  }

  /** What is no number was taken for 0, so that two of them were the same. */
  @Test
  void figuresThatAreNoNumbersAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> found("none", "1", true));
    assertThrows(IllegalArgumentException.class, () -> found("1", "2 of 3", true));
    assertEquals("only one trains: better", found("1.5", "∞", false).difference());
  }
}
