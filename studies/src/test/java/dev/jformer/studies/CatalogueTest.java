package dev.jformer.studies;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class CatalogueTest {
  @Test
  void holdsAllPapersUnderDistinctUsableNames() {
    var slugs = Catalogue.papers().stream().map(Paper::slug).collect(Collectors.toSet());
    assertEquals(63, slugs.size());
    assertEquals(63, Catalogue.papers().size());
    assertTrue(slugs.stream().allMatch(slug -> slug.matches("[a-z0-9]+(-[a-z0-9]+)*")), "" + slugs);
    assertTrue(Catalogue.papers().stream().noneMatch(paper -> paper.title().isBlank()));
  }
}
