package dev.jformer.studies;

import dev.jformer.studies.evidence.Evidence;
import dev.jformer.studies.evidence.Machine;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeMap;

/** The studies there are. */
public final class Studies {
  private Studies() {}

  /** All studies by slug. */
  public static Map<String, Study> all() {
    Map<String, Study> studies = new TreeMap<>();
    for (Study study : ServiceLoader.load(Study.class)) {
      if (studies.put(study.slug(), study) != null) {
        throw new IllegalStateException("two studies of the paper " + study.slug());
      }
    }
    return studies;
  }

  /**
   * Runs a study.
   *
   * @param command what the reader would type to repeat it
   */
  public static Evidence run(Study study, Lab lab, String command) {
    List<Paper> papers =
        Catalogue.papers().stream().filter(p -> p.slug().equals(study.slug())).toList();
    if (papers.isEmpty()) {
      throw new IllegalStateException("the catalogue has no paper " + study.slug());
    }
    study.run(lab);
    return new Evidence(
        study.slug(),
        papers.get(0).title(),
        lab.scale().name().toLowerCase(Locale.ROOT),
        command,
        Machine.here(),
        Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
        lab.seconds(),
        lab.claims(),
        lab.tables(),
        lab.figures(),
        lab.notes());
  }
}
