/**
 * What tests of techniques share: comparison of tensors with numbers computed elsewhere, naive
 * references written in plain Java, and the checks that every token mixer and channel mixer has to
 * pass.
 *
 * <p>A test of a new part needs a reference that reads like its paper, and a line for each check:
 *
 * <pre>{@code
 * @ExtendWith(Scoped.class)
 * class FlowAttentionTest {
 *   @Test void matchesThePaper() { ModuleChecks.matches(mixer, naive, 7, 12); }
 *   @Test void isCausal()        { MixerChecks.causal(mixer, 12); }
 *   @Test void decodes()         { MixerChecks.streams(mixer, 12); }
 *   @Test void ignoresPadding()  { MixerChecks.ignoresPadding(mixer, 12); }
 * }
 * }</pre>
 */
package dev.jformer.testing;
