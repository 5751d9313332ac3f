/**
 * Jinja templates, as chat models have them: {@link dev.jformer.data.jinja.JinjaTemplate} renders
 * one as Python's Jinja2 does in the sandbox that Hugging Face's transformers uses.
 */
package dev.jformer.data.jinja;
