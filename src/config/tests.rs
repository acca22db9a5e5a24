//! [`Config::load`], rule by rule.
