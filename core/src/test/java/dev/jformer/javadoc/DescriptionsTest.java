package dev.jformer.javadoc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.compress.neurons.NodeSearch;
import dev.jformer.config.Configs;
import dev.jformer.ffn.NestedMlp;
import dev.jformer.mixer.TokenMixer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DescriptionsTest {
  @Test
  void aRecordHasTheTextsOfItsComponents() {
    Description search = Descriptions.of(NodeSearch.class);
    assertTrue(search.summary().endsWith("."), search.summary());
    assertEquals(List.of("samples", "sparsity", "seed"), List.copyOf(search.parameters().keySet()));
    assertEquals("number of sets drawn", search.parameter("samples"));
    assertEquals("", search.parameter("other"));
  }

  @Test
  void aPartIsDescribedByWhatItConfigures() {
    assertEquals("Configuration.", Descriptions.of(NestedMlp.Config.class).summary());
    Description part = Descriptions.ofPart(NestedMlp.Config.class);
    assertEquals(Descriptions.of(NestedMlp.class).summary(), part.summary());
    assertEquals(
        Descriptions.of(NestedMlp.Config.class).parameters().keySet(), part.parameters().keySet());
    assertFalse(part.parameters().isEmpty());
  }

  @Test
  void everyTokenMixerIsDescribed() {
    List<String> silent = new ArrayList<>();
    Configs.parts(TokenMixer.Config.class)
        .forEach(
            (type, part) -> {
              if (Descriptions.ofPart(part.getClass()).summary().isEmpty()) {
                silent.add(type);
              }
            });
    assertEquals(List.of(), silent);
  }

  @Test
  void aTypeWithoutJavadocHasAnEmptyDescription() {
    assertEquals(Description.NONE, Descriptions.of(DescriptionsTest.class));
    assertEquals(Description.NONE, Descriptions.of(String.class));
    assertTrue(Descriptions.ofPart(String.class).isEmpty());
  }
}
