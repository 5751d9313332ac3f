package dev.jformer.app.command;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.studies.Catalogue;
import dev.jformer.studies.Paper;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code jformer papers}: the catalogue. */
@Command(name = "papers", header = "List the papers whose techniques are here or planned")
final class PapersCommand implements Callable<Integer> {
  @Mixin private JsonOption json;

  @Override
  public Integer call() throws Exception {
    if (json.isSet()) {
      System.out.println(
          new JsonMapper().writerWithDefaultPrettyPrinter().writeValueAsString(Catalogue.papers()));
      return 0;
    }
    System.out.printf(Locale.ROOT, "%-32s %-9s %-8s %s%n", "paper", "seam", "here", "title");
    for (Paper paper : Catalogue.papers()) {
      String seam = paper.seam().name().toLowerCase(Locale.ROOT);
      String status = paper.status() == Paper.Status.PLANNED ? "planned" : "yes";
      System.out.printf(
          Locale.ROOT, "%-32s %-9s %-8s %s%n", paper.slug(), seam, status, paper.title());
    }
    return 0;
  }
}
