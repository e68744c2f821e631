# Builds a gem, and lets Bundler install it from vendor/cache and load it, without a network.

# What Ruby's build for WASI does not have, and Bundler expects.
class File
  def flock(_) = 0
  def chmod(_) = 0
  def self.chmod(*) = 0
end
$LOAD_PATH.unshift("/work/shim")

require "fileutils"
require "rubygems/package"
require "bundler"
require "bundler/cli"

Dir.chdir("/work/greeting")
specification = Gem::Specification.new do |it|
  it.name = "greeting"
  it.version = "1.2.3"
  it.summary = "Greets"
  it.authors = ["Nobody"]
  it.homepage = "https://example.com"
  it.license = "MIT"
  it.required_ruby_version = ">= 3.0"
  it.files = ["lib/greeting.rb"]
end
FileUtils.mv(Gem::Package.build(specification), "/work/app/vendor/cache/")

Dir.chdir("/work/app")
Bundler::CLI.start(["install", "--local"])
Bundler.reset!
Bundler.setup
require "greeting"
"#{Greeting.to("world")} from #{$LOADED_FEATURES.grep(/greeting/).join}"
